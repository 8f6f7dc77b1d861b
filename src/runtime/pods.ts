// One pod a connection: the runtime of `proxy`. A warm pod from memory, or else a new one in a free slot; where no slot is free it
// waits for one that is being freed, and asks other replicas for those of their warm pods.
import { setTimeout as pause } from 'node:timers/promises';
import { backoff } from '../core/backoff.ts';
import { connectedPatch, functionOf } from '../core/pod.ts';
import { reasonAtTimeout, reasonOfCreateError } from '../core/pod-status.ts';
import { keyOf, type ServedFunction } from '../core/served.ts';
import { freeSlot } from '../core/slots.ts';
import { KubeError } from '../kube/client.ts';
import { Changes, ChangesByKey } from './changes.ts';
import { OwnPod } from './own-pod.ts';
import { OwnPods, type OwnPodsOptions, stateOf } from './own-pods.ts';
import { openPort, resultOf } from './pod-port.ts';
import type { Backend, Runtime, Started, StartFailure, StartRequest } from './runtime.ts';
import { Wanted } from './wanted.ts';
import { WarmPods } from './warm.ts';

/** How long a handshake waits for a pod that is being deleted when only such pods hold the ceiling (contract part 3), in ms. */
const GOING_MS = 10_000;
/** The longest wait after a node refused a pod: what it lacks may be there at any moment (ms). */
const REFUSED_MOST_MS = 5000;

/** Hears of pods, for the metrics. */
export interface PodObserver {
  /** @param result abandoned: nobody waited for it any more */
  podStarted(fn: string, start: 'cold' | 'warm', result: 'ready' | 'failed' | 'abandoned'): void;
  /** @param seconds since its create */
  podGone(fn: string, seconds: number): void;
}

/** What the pod runtime is made with. */
export interface PodRuntimeOptions extends OwnPodsOptions {
  /** A start that finds no node ends after this; undefined: at the init timeout (ms). */
  readonly unschedulableGraceMs: number | undefined;
  /** The ids of the replicas that share the warm pods: those that live and do not drain. */
  sharing(): readonly string[];
  /** A warm pod did not become ready, or died soon: for the function's author. */
  warmFailed?(fn: ServedFunction, failure: StartFailure): void;
  readonly observer?: PodObserver;
}

/** The runtime on a cluster. `start` may be called once `ready` has resolved. */
export class PodRuntime implements Runtime {
  readonly #options: PodRuntimeOptions;
  readonly #pods: OwnPods;
  readonly #warm: WarmPods;
  readonly #wanted: Wanted;
  /** Of what starts wait for, by function. */
  readonly #changes = new ChangesByKey();
  readonly #any = new Changes();
  /** Starts that wait for a free name, by function. */
  readonly #waiting = new Map<string, number>();
  #closed = false;

  constructor(options: PodRuntimeOptions) {
    this.#options = options;
    const { client, proxyId, observer, log, warmFailed } = options;
    const sharing = () => options.sharing();
    const tell = (fn: string) => this.#changes.tell(fn);
    const changed = (fn: string) => {
      tell(fn);
      this.#any.tell();
      this.#warm.changed(fn);
    };
    const pods = new OwnPods(options, { changed, gone: (fn, seconds) => observer?.podGone(fn, seconds) });
    this.#pods = pods;
    this.#warm = new WarmPods({
      pods,
      proxyId,
      sharing,
      waitingStarts: (fn) => this.#waiting.get(fn) ?? 0,
      tell,
      started: (fn, result) => observer?.podStarted(fn, 'warm', result),
      failed: (fn, failure) => warmFailed?.(fn, failure),
      log,
    });
    this.#wanted = new Wanted({ client, proxyId, pods, sharing, refused: tell, log });
  }

  /** Resolves when all function pods are known; from then on warm pods are kept. Rejects with a KubeError. */
  async ready(): Promise<void> {
    await this.#pods.ready();
    this.#warm.begin();
  }

  /** A function came or changed. */
  serve(fn: ServedFunction): void {
    this.#warm.serve(fn);
  }

  /** A function, `namespace/name`, is gone. */
  forget(fn: string): void {
    this.#warm.forget(fn);
  }

  /** The replicas that share the warm pods are others now. */
  rebalance(): void {
    this.#warm.rebalance();
  }

  /** No new connections will come: deletes the warm pods. */
  drain(): void {
    this.#warm.drain();
  }

  waiting(fn: ServedFunction): boolean {
    return this.#warm.waiting(fn);
  }

  full(fn: ServedFunction): boolean {
    if (this.#warm.any(fn)) return false;
    const { taken, going } = this.#pods.held(fn);
    return going === 0 && freeSlot(fn.spec.maxConnections, taken) === undefined && !this.#wanted.possible(fn);
  }

  async start(request: StartRequest): Promise<Started> {
    const { fn, signal } = request;
    let refused = 0;
    for (;;) {
      const handed = this.#closed ? undefined : await this.#warm.handOut(request);
      if (handed) {
        const { own, socket, stages, settled } = handed;
        return { ok: true, backend: this.#backend(own, request, { start: 'warm', socket, stages }, settled) };
      }
      const begun = performance.now();
      const made = await this.#make(request);
      if (made === 'warm') continue;
      if ('ok' in made) return made;
      const create = performance.now() - begun;
      const opened = await openPort(made, request, { graceMs: this.#options.unschedulableGraceMs, taken: this.#pods.taken });
      this.#options.observer?.podStarted(keyOf(fn), 'cold', resultOf(opened, signal));
      if (opened.kind === 'open') {
        const { socket, stages } = opened;
        return { ok: true, backend: this.#backend(made, request, { start: 'cold', socket, stages: { create, ...stages } }) };
      }
      made.delete(false);
      if (opened.kind === 'failed') return opened.failure;
      // The kubelet refused the pod: it is made again, in another slot, until the init timeout.
      this.#options.log(`pod ${made.pod.metadata?.name} was refused by its node: ${opened.detail}`);
      await pause(backoff(refused++, Math.random(), 200, REFUSED_MOST_MS), undefined, { signal }).catch(() => {}); // aborted: it is over
      if (signal.aborted) return { ok: false, reason: 'unschedulable', detail: opened.detail };
    }
  }

  async close(withinMs: number): Promise<void> {
    this.#closed = true;
    this.#warm.drain();
    this.#pods.deleteAll();
    const timeout = AbortSignal.timeout(withinMs);
    while (!this.#pods.none && !timeout.aborted) await this.#any.next(timeout);
    this.#pods.stopWatching();
  }

  /** The pods of this process, by function and state. */
  *pods(): Generator<{ function: string; state: string }> {
    for (const { pod } of this.#pods.all()) yield { function: functionOf(pod), state: stateOf(pod) };
  }

  /** Deletions that the API server has not taken yet. */
  get pendingDeletes(): number {
    let pending = 0;
    for (const own of this.#pods.all()) if (own.deletePending) pending++;
    return pending;
  }

  /** The resource of its watch, and when the last event came, in ms since 1970. */
  get watched(): { readonly resource: string; readonly lastEventAt: number } {
    return this.#pods.watched;
  }

  /** A pod for this connection that starts: a warm one that is under way already, or a new one. `warm`: one is ready by now. */
  async #make(request: StartRequest): Promise<OwnPod | 'warm' | StartFailure> {
    const { fn, connectionId, signal } = request;
    for (;;) {
      const place = await this.#place(request);
      if (place === undefined) return { ok: false, reason: 'max_connections', detail: `all ${fn.spec.maxConnections} slots are held` };
      if (place instanceof OwnPod || place === 'warm') return place;
      if (signal.aborted || this.#closed) {
        this.#pods.release(fn, place);
        return { ok: false, reason: reasonAtTimeout(undefined), detail: 'given up before a pod was made' };
      }
      const creating = this.#pods.create(fn, place, connectionId);
      const made = await beforeAbort(creating, signal);
      if (made === 'taken') continue;
      if (made instanceof KubeError) return { ok: false, reason: reasonOfCreateError(made), detail: made.message };
      if (made && !signal.aborted && !this.#closed) return made;
      // An API server that does not answer must not hold the client; whatever it makes after all goes at once.
      void creating.then((late) => late instanceof OwnPod && late.delete(false));
      return { ok: false, reason: reasonAtTimeout(undefined), detail: 'given up while the pod was created' };
    }
  }

  /** A reserved slot, or a warm pod; undefined when there is neither, nor anything to wait for, or that did not come in time. */
  async #place(request: StartRequest): Promise<number | OwnPod | 'warm' | undefined> {
    const { fn, signal } = request;
    const patience = AbortSignal.any([signal, AbortSignal.timeout(GOING_MS)]);
    const key = keyOf(fn);
    this.#waiting.set(key, (this.#waiting.get(key) ?? 0) + 1);
    try {
      for (;;) {
        const slot = signal.aborted ? this.#pods.reserve(fn) : this.#atOnce(request);
        if (slot !== undefined || patience.aborted) return slot;
        const coming = this.#pods.held(fn).going + this.#wanted.asked(fn) + this.#warm.creating(fn);
        const asked = (this.#waiting.get(key) ?? 0) > coming && this.#wanted.ask(fn);
        if (coming === 0 && !asked) return undefined;
        await this.#changes.next(key, patience);
      }
    } finally {
      const left = (this.#waiting.get(key) ?? 0) - 1;
      if (left > 0) this.#waiting.set(key, left);
      else this.#waiting.delete(key);
      this.#warm.changed(key);
    }
  }

  #atOnce(request: StartRequest): number | OwnPod | 'warm' | undefined {
    return this.#warm.waiting(request.fn) ? 'warm' : (this.#warm.adopt(request) ?? this.#pods.reserve(request.fn));
  }

  /** @param settled to be called when the pod does not look like a warm one any more */
  #backend(own: OwnPod, request: StartRequest, opened: Pick<Backend, 'start' | 'socket' | 'stages'>, settled = () => {}): Backend {
    const { namespace = '', name = '' } = own.pod.metadata ?? {};
    return {
      ...opened,
      name: `${namespace}/${name}`,
      node: own.pod.spec?.nodeName,
      vanished: own.vanished,
      noted: () => own.byOthers,
      // Nothing waits for it: neither the client, nor the connection.
      opened() {
        const patch = connectedPatch(request.fn, own.pod, request.connectionId, Date.now());
        void own.patch(patch).then((done) => done && settled());
      },
      stop: (dropped) => own.delete(dropped),
      cause: (withinMs) => own.cause(withinMs),
    };
  }
}

/** What the promise gives, or undefined if the signal is aborted before. No listener stays: the signal lives as long as its connection. */
function beforeAbort<T>(promise: Promise<T>, signal: AbortSignal): Promise<T | undefined> {
  return new Promise((resolve, reject) => {
    const abort = () => resolve(undefined);
    signal.addEventListener('abort', abort, { once: true });
    promise.finally(() => signal.removeEventListener('abort', abort)).then(resolve, reject);
  });
}
