// The warm pods of this replica: a pool for each function that has some, and what is handed out of them from memory. No other replica
// can hand out the same pod, because no pod has two owners.
import type { Socket } from 'node:net';
import { keyOf, type ServedFunction } from '../core/served.ts';
import { shareOf } from '../core/share.ts';
import type { OwnPod } from './own-pod.ts';
import type { StartRequest, StartStages } from './runtime.ts';
import { WarmPool, type WarmPoolOptions } from './warm-pool.ts';

/** Creates of warm pods under way at a time, of all functions: connections that need a new pod come first. */
const MOST_CREATES = 10;

/** What the pools are made with. */
export interface WarmPodsOptions extends Omit<WarmPoolOptions, 'share' | 'asks'> {
  readonly proxyId: string;
  /** The ids of the replicas that share the warm pods. */
  sharing(): readonly string[];
}

/** A warm pod that a connection gets. */
export interface HandedOut {
  readonly own: OwnPod;
  /** As Backend.socket. */
  readonly socket: Socket;
  readonly stages: StartStages;
  /** To be called when others see that it is no warm pod any more. */
  settled(): void;
}

/** All pools. */
export class WarmPods {
  readonly #options: WarmPoolOptions;
  readonly #pools = new Map<string, WarmPool>();
  /** Those that have pods to create: one each in turn. */
  readonly #queue = new Set<WarmPool>();
  #creating = 0;
  #open = false;

  constructor(options: WarmPodsOptions) {
    this.#options = {
      ...options,
      share: (fn) => (this.#open ? shareOf(fn, options.sharing(), options.proxyId) : 0),
      asks: (pool) => {
        this.#queue.add(pool);
        this.#create();
      },
    };
  }

  /** From now on pods may be created. */
  begin(): void {
    this.#open = true;
    this.rebalance();
  }

  /** A function came or changed. */
  serve(fn: ServedFunction): void {
    const key = keyOf(fn);
    if (this.#pools.get(key)?.uid !== fn.uid) this.forget(key);
    const pool = this.#pools.get(key) ?? (fn.spec.warmPods > 0 ? new WarmPool(fn, this.#options) : undefined);
    if (!pool) return;
    this.#pools.set(key, pool);
    pool.serve(fn);
  }

  /** A function is gone, and its warm pods go. */
  forget(key: string): void {
    this.#pools.get(key)?.forget();
    this.#pools.delete(key);
  }

  /** The replicas that share are others now. */
  rebalance(): void {
    for (const pool of this.#pools.values()) pool.settle();
  }

  /** Deletes all warm pods; there will be no others. */
  drain(): void {
    this.#open = false;
    this.rebalance();
  }

  /** Something has changed with the pods of this function, `namespace/name`. */
  changed(fn: string): void {
    this.#pools.get(fn)?.later();
  }

  /** Is a warm pod ready for a connection of this function? */
  waiting(fn: ServedFunction): boolean {
    return this.#pools.get(keyOf(fn))?.first(fn, true) !== undefined;
  }

  /** Is one ready, does one start, or is one being created? */
  any(fn: ServedFunction): boolean {
    const pool = this.#pools.get(keyOf(fn));
    return pool !== undefined && (pool.creating > 0 || (pool.first(fn, true) ?? pool.first(fn, false)) !== undefined);
  }

  /** Creates under way: each becomes a pod that may be adopted. */
  creating(fn: ServedFunction): number {
    return this.#pools.get(keyOf(fn))?.creating ?? 0;
  }

  /**
   * A warm pod for a connection: chosen in this tick, so that nobody else gets it, and dialled. One that does not answer is thrown
   * away, and the next one is tried. There is no call to the API server in it, but for such a one's deletion.
   */
  async handOut({ fn, signal }: StartRequest): Promise<HandedOut | undefined> {
    for (;;) {
      const pool = this.#pools.get(keyOf(fn));
      const pod = pool?.first(fn, true);
      if (!pool || !pod || signal.aborted) return undefined;
      pool.handOut(pod);
      const begun = performance.now();
      const socket = await pod.dial(signal);
      if (socket && !signal.aborted) {
        pool.answered(pod, true);
        return { own: pod.own, socket, stages: { port: performance.now() - begun }, settled: () => pool.settled(pod) };
      }
      socket?.destroy();
      if (signal.aborted) pod.own.delete(true);
      else pool.answered(pod, false);
    }
  }

  /** A warm pod that still starts, for a connection that has none: it is a pod like any other from now on. */
  adopt({ fn, connectionId }: StartRequest): OwnPod | undefined {
    const pool = this.#pools.get(keyOf(fn));
    const pod = pool?.first(fn, false);
    if (pod) pool?.adopt(pod, connectionId);
    return pod?.own;
  }

  #create(): void {
    for (const pool of this.#queue) {
      if (this.#creating >= MOST_CREATES) return;
      this.#queue.delete(pool);
      const created = pool.create();
      if (!created) continue;
      this.#queue.add(pool); // behind the others
      this.#creating++;
      void created.then(() => {
        this.#creating--;
        this.#create();
      });
    }
  }
}
