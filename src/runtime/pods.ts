// One pod a connection: the runtime of `proxy`. One watch tells of all function pods; nothing is ever polled. Names are given out
// from memory, and the API server's name conflict is the lock between proxies.
import type { V1Pod } from '@kubernetes/client-node';
import { LABEL_FUNCTION, LABEL_PROXY, LABEL_REQUEST_ID, LABEL_STATE } from '../api/names.ts';
import { isFunctionPod, podFor } from '../core/pod.ts';
import { reasonAtTimeout, reasonOfCreateError } from '../core/pod-status.ts';
import { keyOf, type ServedFunction } from '../core/served.ts';
import { freeSlot } from '../core/slots.ts';
import { isConflict, type KubeClient, KubeError } from '../kube/client.ts';
import { createPod, getPod, labelPod } from '../kube/pods.ts';
import { type Namespaces, Watches } from '../kube/watches.ts';
import { Changes } from './changes.ts';
import { HeldSlots, keyOfSlot } from './held-slots.ts';
import { OwnPod } from './own-pod.ts';
import { openPort, resultOf } from './pod-port.ts';
import type { Backend, Runtime, Started, StartFailure, StartRequest } from './runtime.ts';
import { TakenAddresses } from './taken.ts';

/** How long a handshake waits for a pod that is being deleted when only such pods hold the ceiling (contract part 3), in ms. */
const GOING_MS = 10_000;

/** Hears of pods, for the metrics. */
export interface PodObserver {
  /** @param result abandoned: nobody waited for it any more */
  podStarted(fn: string, start: 'cold' | 'warm', result: 'ready' | 'failed' | 'abandoned'): void;
  /** @param seconds since its create */
  podGone(fn: string, seconds: number): void;
}

/** What the pod runtime is made with. */
export interface PodRuntimeOptions {
  readonly client: KubeClient;
  /** The 10-character id of this process. */
  readonly proxyId: string;
  /** Whose pods are watched: those of the functions that are served. */
  readonly namespaces: Namespaces;
  /** A start that finds no node ends after this; undefined: at the init timeout (ms). */
  readonly unschedulableGraceMs: number | undefined;
  readonly observer?: PodObserver;
  /** Faults that mend themselves, for the log. */
  log(line: string): void;
}

/** The runtime on a cluster. `start` may be called once `ready` has resolved. */
export class PodRuntime implements Runtime {
  readonly #options: PodRuntimeOptions;
  readonly #watch: Watches<V1Pod>;
  /** Pods of this process by `namespace/name`; a name is here from before its create call. */
  readonly #own = new Map<string, OwnPod | 'creating'>();
  readonly #slots: HeldSlots;
  readonly #taken: TakenAddresses;
  readonly #changes = new Changes();
  #closed = false;

  constructor(options: PodRuntimeOptions) {
    this.#options = options;
    this.#watch = new Watches<V1Pod>(options.client, {
      base: '/api/v1',
      resource: 'pods',
      namespaces: options.namespaces,
      query: { labelSelector: LABEL_FUNCTION },
      set: (pod) => this.#seen(pod),
      gone: (pod) => this.#vanished(pod),
      fault: (error) => options.log(`the watch of pods was cut: ${error.message}`),
    });
    this.#slots = new HeldSlots(this.#watch.objects, this.#own);
    this.#taken = new TakenAddresses(this.#watch.objects);
  }

  /** Resolves when all function pods are known. Rejects with a KubeError. */
  async ready(): Promise<void> {
    await Promise.all([this.#watch.start(), this.#taken.find(this.#options.client.server)]);
  }

  full(fn: ServedFunction): boolean {
    const { taken, going } = this.#slots.of(fn);
    return freeSlot(fn.spec.maxConnections, taken) === undefined && !going;
  }

  async start(request: StartRequest): Promise<Started> {
    for (;;) {
      const begun = performance.now();
      const made = await this.#make(request);
      if ('ok' in made) return made;
      const create = performance.now() - begun;
      const opened = await openPort(made, request, { graceMs: this.#options.unschedulableGraceMs, taken: this.#taken });
      this.#options.observer?.podStarted(keyOf(request.fn), 'cold', resultOf(opened, request.signal));
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
    while (this.#own.size > 0 && !timeout.aborted) await this.#changes.next(timeout);
    this.#watch.stop();
  }

  /** The pods of this process, by function and state. */
  *pods(): Generator<{ function: string; state: string }> {
    for (const own of this.#own.values()) {
      if (own === 'creating') continue;
      const { namespace = '', labels = {} } = own.pod.metadata ?? {};
      yield { function: `${namespace}/${labels[LABEL_FUNCTION]}`, state: labels[LABEL_STATE] ?? '' };
    }
  }

  /** Deletions that the API server has not taken yet. */
  get pendingDeletes(): number {
    let pending = 0;
    for (const own of this.#own.values()) if (own !== 'creating' && own.deletePending) pending++;
    return pending;
  }

  /** The resource of its watch, and when the last event came, in ms since 1970. */
  get watched(): { readonly resource: string; readonly lastEventAt: number } {
    return this.#watch;
  }

  /** Creates a pod in a free slot. */
  async #make({ fn, connectionId, signal }: StartRequest): Promise<OwnPod | StartFailure> {
    for (;;) {
      const slot = await this.#reserve(fn, signal);
      if (slot === undefined) return { ok: false, reason: 'max_connections', detail: `all ${fn.spec.maxConnections} slots are held` };
      const key = keyOfSlot(fn, slot);
      if (signal.aborted || this.#closed) {
        this.#own.delete(key);
        this.#changes.tell();
        return { ok: false, reason: reasonAtTimeout(undefined), detail: 'given up before a pod was made' };
      }
      const pod = podFor(fn, { slot, proxyId: this.#options.proxyId, requestId: connectionId });
      const created = await this.#create(pod, connectionId);
      if (created instanceof KubeError) {
        this.#own.delete(key);
        const shown = this.#watch.objects.get(key);
        if (shown) this.#seen(shown); // it may be ours, and shown while its name was only reserved
        this.#changes.tell();
        if (isConflict(created)) {
          this.#slots.conflict(key);
          continue;
        }
        return { ok: false, reason: reasonOfCreateError(created), detail: created.message };
      }
      const own = this.#follow(key, created);
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
      const { taken, going } = this.#slots.of(fn);
      const slot = freeSlot(fn.spec.maxConnections, taken);
      if (slot !== undefined) this.#own.set(keyOfSlot(fn, slot), 'creating');
      if (slot !== undefined || !going || patience.aborted) return slot;
      await this.#changes.next(patience);
    }
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
    this.#slots.seen(key);
    const own = this.#own.get(key);
    if (own === 'creating') return;
    if (own && own.pod.metadata?.uid === pod.metadata?.uid) own.update(pod);
    // Made by a create of ours that was never answered: nobody waits for it.
    else if (!own && isFunctionPod(pod) && pod.metadata?.labels?.[LABEL_PROXY] === this.#options.proxyId)
      this.#follow(key, pod).delete(false);
    this.#changes.tell();
  }

  /** Knows a pod as one of this process until it is gone. */
  #follow(key: string, pod: V1Pod): OwnPod {
    const own = new OwnPod(pod, this.#options.client, this.#options.log);
    const since = performance.now();
    this.#own.set(key, own);
    void own.vanished.then(() => {
      const { namespace = '', labels = {} } = pod.metadata ?? {};
      this.#options.observer?.podGone(`${namespace}/${labels[LABEL_FUNCTION]}`, (performance.now() - since) / 1000);
      if (this.#own.get(key) === own) this.#own.delete(key);
      this.#changes.tell();
    });
    return own;
  }

  #vanished(pod: V1Pod): void {
    const key = keyOf({ namespace: pod.metadata?.namespace ?? '', name: pod.metadata?.name ?? '' });
    this.#slots.seen(key);
    const own = this.#own.get(key);
    if (own instanceof OwnPod && own.pod.metadata?.uid === pod.metadata?.uid) own.vanish(pod);
    this.#changes.tell();
  }
}
