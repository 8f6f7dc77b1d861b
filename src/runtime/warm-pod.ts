// One warm pod: from its creation until a connection gets it, it dies, or its place is needed.
import type { Socket } from 'node:net';
import { LABEL_STATE, LABEL_WANTED } from '../api/names.ts';
import { readPod } from '../core/pod-status.ts';
import type { ServedFunction } from '../core/served.ts';
import type { PooledPod } from '../core/share.ts';
import type { OwnPod } from './own-pod.ts';
import { openPort } from './pod-port.ts';
import { connectOnce } from './probe.ts';
import { INIT_TIMEOUT, type StartFailure } from './runtime.ts';
import type { TakenAddresses } from './taken.ts';

/** A container that has exited refuses at once; who has not answered by then is not there (ms). */
const DIAL_MS = 500;

/** What a warm pod is made with. */
export interface WarmPodOptions {
  readonly own: OwnPod;
  readonly fn: ServedFunction;
  /** Hash of what it is made of. */
  readonly template: string;
  /** When its creation began, by performance.now(). */
  readonly begunAt: number;
  readonly taken: TakenAddresses;
}

/** A pod of this process that no connection has got. */
export class WarmPod implements PooledPod {
  readonly own: OwnPod;
  readonly template: string;
  readonly begunAt: number;
  readonly #fn: ServedFunction;
  readonly #taken: TakenAddresses;
  readonly #out = new AbortController();
  #address: string | undefined;
  #readyAt = 0;

  constructor({ own, fn, template, begunAt, taken }: WarmPodOptions) {
    this.own = own;
    this.template = template;
    this.begunAt = begunAt;
    this.#fn = fn;
    this.#taken = taken;
  }

  get ready(): boolean {
    return this.#address !== undefined;
  }

  /** How long its port has been open, in ms. */
  get readyFor(): number {
    return this.ready ? performance.now() - this.#readyAt : 0;
  }

  get wanted(): boolean {
    return this.own.pod.metadata?.labels?.[LABEL_WANTED] !== undefined;
  }

  /** It is no warm pod any more, whatever becomes of it: nobody looks after it here. */
  takeOut(): void {
    this.#out.abort();
  }

  /**
   * Waits until its port is open, within the init timeout, and looks after it from then on.
   * @param ready called once, when the port is open
   * @returns why it is of no use; undefined when it was taken out
   */
  async live(ready: () => void): Promise<StartFailure | undefined> {
    const out = this.#out.signal;
    const failure = await this.#open();
    if (out.aborted) return undefined;
    if (failure) return failure;
    void this.own.patch({ metadata: { labels: { [LABEL_STATE]: 'warm' } } });
    ready();
    while (!out.aborted) {
      const reading = readPod(this.own.pod);
      if (this.own.gone) return { ok: false, reason: this.own.byOthers ?? 'pod_deleted', detail: 'the pod is gone' };
      if (reading.state === 'failed') return { ok: false, ...reading };
      if (reading.state !== 'running') return { ok: false, reason: 'container_exited', detail: 'it does not run any more' };
      await this.own.change(out);
    }
    return undefined;
  }

  /** The connection that finds the port open is closed at once: a server would take it for a client that does not speak. */
  async #open(): Promise<StartFailure | undefined> {
    const late = new AbortController();
    const timer = setTimeout(() => late.abort(INIT_TIMEOUT), this.#fn.spec.initTimeoutSeconds * 1000);
    const signal = AbortSignal.any([this.#out.signal, late.signal]);
    const opened = await openPort(this.own, { fn: this.#fn, signal }, { graceMs: undefined, taken: this.#taken });
    clearTimeout(timer);
    if (opened.kind === 'failed') return opened.failure;
    if (opened.kind === 'again') return { ok: false, reason: 'unschedulable', detail: opened.detail };
    this.#address = this.own.pod.status?.podIP;
    this.#readyAt = performance.now();
    opened.socket.destroy();
    return undefined;
  }

  /** A connection to its port, for the connection that gets it; undefined when nobody answers. */
  dial(signal: AbortSignal): Promise<Socket | undefined> {
    return connectOnce(this.#address ?? '', this.#fn.spec.port, DIAL_MS, signal);
  }
}
