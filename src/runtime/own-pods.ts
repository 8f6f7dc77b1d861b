// The pods of this process: made in free slots, and known until the API server has them no more. One watch tells of all function
// pods; nothing is ever polled. Names are given out from memory, and the API server's name conflict is the lock between proxies.
import { setTimeout as pause } from 'node:timers/promises';
import type { V1Pod } from '@kubernetes/client-node';
import { LABEL_FUNCTION, LABEL_PROXY, LABEL_REQUEST_ID, LABEL_STATE } from '../api/names.ts';
import { backoff } from '../core/backoff.ts';
import { functionOf, isFunctionPod, podFor, shownOf } from '../core/pod.ts';
import { keyOf, type ServedFunction } from '../core/served.ts';
import { freeSlot } from '../core/slots.ts';
import { isConflict, isTaken, type KubeClient, KubeError } from '../kube/client.ts';
import { createPod, getPod } from '../kube/pods.ts';
import { type Namespaces, Watches } from '../kube/watches.ts';
import { type Held, HeldSlots, keyOfSlot, TAKEN_MS } from './held-slots.ts';
import { OwnPod } from './own-pod.ts';
import { TakenAddresses } from './taken.ts';

/** How often a create is tried again that met others at the same quota: 1.3 s at most, in which many have passed. */
const MOST_CONFLICTS = 3;

/** What the pods of a process are made with. */
export interface OwnPodsOptions {
  readonly client: KubeClient;
  /** The 10-character id of this process. */
  readonly proxyId: string;
  /** Whose pods are watched: those of the functions that are served. */
  readonly namespaces: Namespaces;
  /** The restricted defaults go under what templates say (--pod-defaults). */
  readonly podDefaults: boolean;
  /** Faults that mend themselves, for the log. */
  log(line: string): void;
}

/** Who hears of pods. */
export interface OwnPodsEvents {
  /** Something has changed with the pods of this function, `namespace/name`. */
  changed(fn: string): void;
  /** A pod of this process is gone, `seconds` after its create. */
  gone(fn: string, seconds: number): void;
}

/** Slots and pods. What is made may be asked for once `ready` has resolved. */
export class OwnPods {
  readonly taken = new TakenAddresses();
  readonly #options: OwnPodsOptions;
  readonly #events: OwnPodsEvents;
  readonly #watch: Watches<V1Pod>;
  /** By `namespace/name`; a name is here from before its create call. */
  readonly #own = new Map<string, OwnPod | 'creating'>();
  readonly #slots: HeldSlots;
  #closed = false;

  constructor(options: OwnPodsOptions, events: OwnPodsEvents) {
    this.#options = options;
    this.#events = events;
    this.#watch = new Watches<V1Pod>(options.client, {
      base: '/api/v1',
      resource: 'pods',
      namespaces: options.namespaces,
      query: { labelSelector: LABEL_FUNCTION },
      kept: (pod) => (pod.metadata?.labels?.[LABEL_PROXY] === options.proxyId ? pod : shownOf(pod)),
      set: (pod) => this.#seen(pod),
      gone: (pod) => this.#vanished(pod),
      fault: (error) => options.log(`the watch of pods was cut: ${error.message}`),
    });
    this.#slots = new HeldSlots({ watched: this.#watch.objects, own: this.#own, proxyId: options.proxyId });
  }

  /** Resolves when all function pods are known. Rejects with a KubeError. */
  async ready(): Promise<void> {
    await Promise.all([this.#watch.start(), this.taken.find(this.#options.client.server)]);
  }

  /** Deletes all; a pod that is being created now goes as soon as it is there. */
  deleteAll(): void {
    this.#closed = true;
    for (const own of this.all()) own.delete(false);
  }

  stopWatching(): void {
    this.#watch.stop();
  }

  /** Are there none, and are none being created? */
  get none(): boolean {
    return this.#own.size === 0;
  }

  *all(): Generator<OwnPod> {
    for (const own of this.#own.values()) if (own !== 'creating') yield own;
  }

  /** The resource of its watch, and when the last event came, in ms since 1970. */
  get watched(): { readonly resource: string; readonly lastEventAt: number } {
    return this.#watch;
  }

  /** The slots of a function that are held, by anybody. */
  held(fn: ServedFunction): Held {
    return this.#slots.of(fn);
  }

  /** The warm pods of other replicas in a function's slots that stay for now, by slot. */
  ofOthers(fn: ServedFunction): ReadonlyMap<number, V1Pod> {
    return this.#slots.ofOthers(fn);
  }

  /** Reserves a free slot, found and taken in one step; undefined when there is none. */
  reserve(fn: ServedFunction): number | undefined {
    const slot = freeSlot(fn.spec.maxConnections, this.#slots.of(fn).taken);
    if (slot === undefined) return undefined;
    this.#set(keyOfSlot(fn, slot), 'creating');
    return slot;
  }

  /** Gives a reserved slot back. */
  release(fn: ServedFunction, slot: number): void {
    const key = keyOfSlot(fn, slot);
    this.#set(key, undefined);
    const shown = this.#watch.objects.get(key);
    if (shown) this.#seen(shown); // it may be ours, and shown while its name was only reserved
    this.#events.changed(keyOf(fn));
  }

  /**
   * Creates a pod in a reserved slot.
   * @param requestId undefined: a warm one
   * @returns why there is none, and the slot is given back: the name is `taken`, or the API server said no
   */
  async create(fn: ServedFunction, slot: number, requestId: string | undefined): Promise<OwnPod | 'taken' | KubeError> {
    const key = keyOfSlot(fn, slot);
    const { proxyId, podDefaults: defaults } = this.#options;
    const created = await this.#create(podFor(fn, { slot, proxyId, requestId, defaults }), requestId);
    if (created instanceof KubeError) {
      if (isTaken(created)) {
        this.#slots.conflict(key);
        const over = () => {
          this.#slots.note(key);
          this.#events.changed(keyOf(fn));
        };
        setTimeout(over, TAKEN_MS + 1).unref();
      }
      this.release(fn, slot);
      return isTaken(created) ? 'taken' : created;
    }
    const own = this.#follow(key, created);
    const seen = this.#watch.objects.get(key);
    if (seen && seen.metadata?.uid === created.metadata?.uid) own.update(seen);
    if (this.#closed) own.delete(false);
    return own;
  }

  /** The created pod, or why there is none. A call without an answer may have made it all the same: its name is looked at. */
  async #create(pod: V1Pod, requestId: string | undefined): Promise<V1Pod | KubeError> {
    for (let attempt = 0; ; attempt++) {
      try {
        return await createPod(this.#options.client, pod);
      } catch (error) {
        if (!(error instanceof KubeError)) throw error;
        if (isConflict(error) && !isTaken(error) && attempt < MOST_CONFLICTS) {
          await pause(backoff(attempt, Math.random()));
          continue;
        }
        if (error.status !== 0 && error.status !== 504 && !isTaken(error)) return error;
        try {
          const there = await getPod(this.#options.client, pod.metadata?.namespace ?? '', pod.metadata?.name ?? '');
          const labels = there?.metadata?.labels ?? {};
          if (there && labels[LABEL_PROXY] === this.#options.proxyId && labels[LABEL_REQUEST_ID] === requestId) return there;
          // Only the connection was lost, and nothing was made: another connection may have more luck. Or the name is free by now.
          if (!there && (error.reason === 'ConnectionLost' || isTaken(error)) && attempt === 0) continue;
        } catch {
          // The first answer says enough; if the pod was made, the watch will show it and it is deleted (see #seen).
        }
        return error;
      }
    }
  }

  #seen(pod: V1Pod): void {
    const key = keyOf({ namespace: pod.metadata?.namespace ?? '', name: pod.metadata?.name ?? '' });
    this.#slots.seen(key);
    this.taken.see(key, pod);
    const own = this.#own.get(key);
    if (own === 'creating') return;
    if (own && own.pod.metadata?.uid === pod.metadata?.uid) own.update(pod);
    // Made by a create of ours that was never answered: nobody waits for it.
    else if (!own && isFunctionPod(pod) && pod.metadata?.labels?.[LABEL_PROXY] === this.#options.proxyId)
      this.#follow(key, pod).delete(false);
    this.#events.changed(functionOf(pod));
  }

  /** Knows a pod as one of this process until it is gone. */
  #follow(key: string, pod: V1Pod): OwnPod {
    const { client, log } = this.#options;
    const own = new OwnPod(pod, { client, log, deleted: () => this.#slots.note(key) });
    const since = performance.now();
    this.#set(key, own);
    void own.vanished.then(() => {
      if (this.#own.get(key) === own) this.#set(key, undefined);
      this.#events.gone(functionOf(pod), (performance.now() - since) / 1000);
      this.#events.changed(functionOf(pod));
    });
    return own;
  }

  #set(key: string, own: OwnPod | 'creating' | undefined): void {
    if (own) this.#own.set(key, own);
    else this.#own.delete(key);
    this.#slots.note(key);
  }

  #vanished(pod: V1Pod): void {
    const key = keyOf({ namespace: pod.metadata?.namespace ?? '', name: pod.metadata?.name ?? '' });
    this.#slots.seen(key);
    this.taken.see(key, undefined);
    const own = this.#own.get(key);
    if (own instanceof OwnPod && own.pod.metadata?.uid === pod.metadata?.uid) own.vanish(pod);
    this.#events.changed(functionOf(pod));
  }
}

/** starting, warm or connected. */
export function stateOf({ metadata }: V1Pod): string {
  return metadata?.labels?.[LABEL_STATE] ?? '';
}
