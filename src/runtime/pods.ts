// One pod a connection: the runtime of `proxy`. One watch tells of all function pods; nothing is ever polled. Names are given out
// from memory, and the API server's name conflict is the lock between proxies.
import type { V1Pod } from '@kubernetes/client-node';
import { LABEL_FUNCTION, LABEL_PROXY, LABEL_REQUEST_ID, LABEL_STATE } from '../api/names.ts';
import { podFor } from '../core/pod.ts';
import { reasonAtTimeout, reasonOfCreateError } from '../core/pod-status.ts';
import { keyOf, type ServedFunction } from '../core/served.ts';
import { freeSlot, slotName, slotOf } from '../core/slots.ts';
import { isConflict, type KubeClient, KubeError } from '../kube/client.ts';
import { createPod, deletePod, getPod, labelPod } from '../kube/pods.ts';
import { Watch } from '../kube/watch.ts';
import { OwnPod } from './own-pod.ts';
import { openPort } from './pod-port.ts';
import type { Backend, Runtime, Started, StartFailure, StartRequest } from './runtime.ts';

/** How long a handshake waits for a pod that is being deleted when only such pods hold the ceiling (contract part 3), in ms. */
const GOING_MS = 10_000;

/** How long a name is believed to be taken by a pod that is not of this kind, and so never shown by the watch (ms). */
const TAKEN_MS = 30_000;

/** What the pod runtime is made with. */
export interface PodRuntimeOptions {
  readonly client: KubeClient;
  /** The 10-character id of this process. */
  readonly proxyId: string;
  /** Serve pods of this namespace alone; undefined: all. */
  readonly namespace: string | undefined;
  /** A start that finds no node ends after this; undefined: at the init timeout (ms). */
  readonly unschedulableGraceMs: number | undefined;
  /** Faults that mend themselves, for the log. */
  log(line: string): void;
}

/** The runtime on a cluster. `start` may be called once `ready` has resolved. */
export class PodRuntime implements Runtime {
  readonly #options: PodRuntimeOptions;
  readonly #watch: Watch<V1Pod>;
  /** Pods of this process by `namespace/name`; a name is here from before its create call. */
  readonly #own = new Map<string, OwnPod | 'creating'>();
  /** Names that a create found taken by pods that the watch does not show, and until when that is believed (ms). */
  readonly #taken = new Map<string, number>();
  #whenChanged: (() => void)[] = [];
  #closed = false;

  constructor(options: PodRuntimeOptions) {
    this.#options = options;
    const path = options.namespace === undefined ? '/api/v1/pods' : `/api/v1/namespaces/${options.namespace}/pods`;
    this.#watch = new Watch<V1Pod>(options.client, {
      path,
      query: { labelSelector: LABEL_FUNCTION },
      set: (pod) => this.#seen(pod),
      gone: (pod) => this.#vanished(pod),
      fault: (error) => options.log(`the watch of pods was cut: ${error.message}`),
    });
  }

  /** Resolves when all function pods are known. Rejects with a KubeError. */
  ready(): Promise<void> {
    return this.#watch.start();
  }

  async start(request: StartRequest): Promise<Started> {
    for (;;) {
      const begun = performance.now();
      const made = await this.#make(request);
      if ('ok' in made) return made;
      const create = performance.now() - begun;
      const opened = await openPort(made, request, this.#options.unschedulableGraceMs);
      if (opened.kind === 'open') return { ok: true, backend: this.#backend(made, opened.socket, { create, ...opened.stages }) };
      made.delete(false);
      if (opened.kind === 'failed') return opened.failure;
      // The kubelet refused the pod: it is made again, in another slot, until the init timeout.
      if (request.signal.aborted) return { ok: false, reason: 'unschedulable', detail: opened.detail };
      this.#options.log(`pod ${made.pod.metadata?.name} was refused by its node: ${opened.detail}`);
    }
  }

  async close(withinMs: number): Promise<void> {
    this.#closed = true; // a pod that is being created now is deleted as soon as it is there
    for (const own of this.#own.values()) if (own !== 'creating') own.delete(false);
    const timeout = AbortSignal.timeout(withinMs);
    while (this.#own.size > 0 && !timeout.aborted) await this.#change(timeout);
    this.#watch.stop();
  }

  /** Creates a pod in a free slot. */
  async #make({ fn, connectionId, signal }: StartRequest): Promise<OwnPod | StartFailure> {
    for (;;) {
      const slot = await this.#reserve(fn, signal);
      if (slot === undefined) return { ok: false, reason: 'max_connections', detail: `all ${fn.spec.maxConnections} slots are held` };
      const key = keyOfSlot(fn, slot);
      if (signal.aborted || this.#closed) {
        this.#own.delete(key);
        return { ok: false, reason: reasonAtTimeout(undefined), detail: 'given up before a pod was made' };
      }
      const pod = podFor(fn, { slot, proxyId: this.#options.proxyId, requestId: connectionId });
      const created = await this.#create(pod, connectionId);
      if (created instanceof KubeError) {
        this.#own.delete(key);
        this.#changed();
        if (isConflict(created)) {
          if (!this.#watch.objects.has(key)) this.#taken.set(key, performance.now() + TAKEN_MS);
          continue;
        }
        return { ok: false, reason: reasonOfCreateError(created), detail: created.message };
      }
      const own = new OwnPod(created, this.#options.client, this.#options.log);
      this.#own.set(key, own);
      void own.vanished.then(() => {
        if (this.#own.get(key) === own) this.#own.delete(key);
        this.#changed();
      });
      const seen = this.#watch.objects.get(key);
      if (seen && seen.metadata?.uid === created.metadata?.uid) own.update(seen);
      if (!signal.aborted && !this.#closed) return own;
      own.delete(false);
      return { ok: false, reason: reasonAtTimeout(undefined), detail: 'given up while the pod was created' };
    }
  }

  /** The created pod, or why there is none. A call without an answer may have made it all the same: its name is looked at. */
  async #create(pod: V1Pod, connectionId: string): Promise<V1Pod | KubeError> {
    for (let attempt = 0; ; attempt++) {
      try {
        return await createPod(this.#options.client, pod);
      } catch (error) {
        if (!(error instanceof KubeError)) throw error;
        if (error.status !== 0 && error.status !== 504 && error.status !== 409) return error;
        try {
          const there = await getPod(this.#options.client, pod.metadata?.namespace ?? '', pod.metadata?.name ?? '');
          const labels = there?.metadata?.labels ?? {};
          if (there && labels[LABEL_PROXY] === this.#options.proxyId && labels[LABEL_REQUEST_ID] === connectionId) return there;
          // Only the connection was lost, and nothing was made: another connection may have more luck.
          if (!there && error.reason === 'ConnectionLost' && attempt === 0) continue;
        } catch {
          // The first answer says enough; if the pod was made, the watch will show it and it is deleted (see #seen).
        }
        return error;
      }
    }
  }

  /**
   * Reserves a free slot; undefined when none is free. It is found and reserved in one step, so that two starts of this process never
   * take the same. When pods that are being deleted hold the ceiling it waits for one of them.
   */
  async #reserve(fn: ServedFunction, signal: AbortSignal): Promise<number | undefined> {
    const patience = AbortSignal.any([signal, AbortSignal.timeout(GOING_MS)]);
    for (;;) {
      const { taken, going } = this.#slots(fn);
      const slot = freeSlot(fn.spec.maxConnections, taken);
      if (slot !== undefined) this.#own.set(keyOfSlot(fn, slot), 'creating');
      if (slot !== undefined || !going || patience.aborted) return slot;
      await this.#change(patience);
    }
  }

  #slots(fn: ServedFunction): { taken: Set<number>; going: boolean } {
    const taken = new Set<number>();
    let going = false;
    for (const [key, until] of this.#taken) if (performance.now() > until) this.#taken.delete(key);
    for (const key of [...this.#watch.objects.keys(), ...this.#own.keys(), ...this.#taken.keys()]) {
      const slot = key.startsWith(`${fn.namespace}/`) ? slotOf(fn.name, key.slice(fn.namespace.length + 1)) : undefined;
      if (slot === undefined) continue;
      taken.add(slot);
      const own = this.#own.get(key);
      if (this.#watch.objects.get(key)?.metadata?.deletionTimestamp || (own instanceof OwnPod && own.deleting)) going = true;
    }
    return { taken, going };
  }

  #backend(own: OwnPod, socket: Backend['socket'], stages: Backend['stages']): Backend {
    const { namespace = '', name = '' } = own.pod.metadata ?? {};
    // For those who look at pods; nothing waits for it.
    labelPod(this.#options.client, own.pod, { [LABEL_STATE]: 'connected' }).catch((error: Error) =>
      this.#options.log(`pod ${name} cannot be labelled: ${error.message}`),
    );
    return {
      name: `${namespace}/${name}`,
      node: own.pod.spec?.nodeName,
      start: 'cold',
      stages,
      socket,
      vanished: own.vanished,
      noted: () => own.byOthers,
      stop: (dropped) => own.delete(dropped),
      cause: (withinMs) => own.cause(withinMs),
    };
  }

  #seen(pod: V1Pod): void {
    const key = keyOf({ namespace: pod.metadata?.namespace ?? '', name: pod.metadata?.name ?? '' });
    this.#taken.delete(key);
    const own = this.#own.get(key);
    if (own === 'creating') return;
    if (own && own.pod.metadata?.uid === pod.metadata?.uid) own.update(pod);
    else if (!own && pod.metadata?.labels?.[LABEL_PROXY] === this.#options.proxyId && !pod.metadata.deletionTimestamp) {
      // Made by a create of ours that was never answered: nobody waits for it.
      deletePod(this.#options.client, pod, 0).catch((error: Error) => this.#options.log(`pod ${key} is left: ${error.message}`));
    }
    this.#changed();
  }

  #vanished(pod: V1Pod): void {
    const key = keyOf({ namespace: pod.metadata?.namespace ?? '', name: pod.metadata?.name ?? '' });
    this.#taken.delete(key);
    const own = this.#own.get(key);
    if (own instanceof OwnPod && own.pod.metadata?.uid === pod.metadata?.uid) own.vanish(pod);
    this.#changed();
  }

  #change(signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const done = () => {
        signal.removeEventListener('abort', done);
        resolve();
      };
      this.#whenChanged.push(done);
      signal.addEventListener('abort', done, { once: true });
    });
  }

  #changed(): void {
    for (const done of this.#whenChanged.splice(0)) done();
  }
}

/** `namespace/name` of the pod in a slot. */
function keyOfSlot(fn: ServedFunction, slot: number): string {
  return `${fn.namespace}/${slotName(fn.name, slot)}`;
}
