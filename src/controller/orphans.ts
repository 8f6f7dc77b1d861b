// Deletes the pods of dead proxies, and then their Leases. A pod is one of these by its label, its owner and a Lease that has been
// silent for 30 s of a working API; everything else is left alone.
import type { V1Pod } from '@kubernetes/client-node';
import { LABEL_FUNCTION } from '../api/names.ts';
import { backoff } from '../core/backoff.ts';
import { orphanGrace, ownerOf } from '../core/orphan.ts';
import type { KubeClient } from '../kube/client.ts';
import { deleteLease } from '../kube/lease.ts';
import { deletePod } from '../kube/pods.ts';
import { type Proxies, proxyOf } from '../kube/proxies.ts';

/** A deletion that was taken shows in the watch long before this; else it is asked for again (ms). */
const AGAIN_MS = 30_000;
/** Deletions that are under way at a time: thousands of orphans must not keep the other calls of this process waiting. */
const MOST_IN_FLIGHT = 8;
/** A first attempt that hangs makes room for another orphan after this (ms), */
const FIRST_CALL_MS = 5000;
/** and a later one after this, so that a slow admission webhook, which has 10 s at most by default, is waited for too (ms). */
const CALL_MS = 12_000;

/** What orphans are found with. */
export interface OrphansOptions {
  readonly client: KubeClient;
  /** All function pods, by watch. */
  readonly pods: ReadonlyMap<string, V1Pod>;
  readonly proxies: Pick<Proxies, 'isDead' | 'leases'>;
  readonly observer: {
    /** @param fn `namespace/name` */
    orphanDeleted(fn: string): void;
  };
  /** Faults that mend themselves, for the log. */
  log(line: string): void;
}

/** The deletion of one object, until the watch shows it gone. */
interface Deletion {
  failures: number;
  /** No other attempt before this moment; infinite: it is under way. */
  nextAt: number;
}

/** What the last look found to do. */
interface Due {
  readonly uid: string;
  /** Is it still to be deleted? */
  wanted(): boolean;
  remove(timeoutMs: number): Promise<void>;
}

/** Finds orphans and deletes them. */
export class Orphans {
  readonly #options: OrphansOptions;
  /** When each pod was first seen, by uid. */
  readonly #seenAt = new Map<string, number>();
  /** By uid. */
  readonly #deletions = new Map<string, Deletion>();
  #due: Due[] = [];
  #inFlight = 0;

  constructor(options: OrphansOptions) {
    this.#options = options;
  }

  /**
   * Looks at all pods and Leases once, and begins what is to be done; the rest follows as deletions end. Called every second by the
   * leader.
   * @param over aborted when this process leads no more: nothing begins after that
   */
  check(over: AbortSignal): void {
    const { client, pods, proxies } = this.#options;
    const now = performance.now();
    const present = new Set<string>();
    const withPods = new Set<string>();
    this.#due = [];
    for (const pod of pods.values()) {
      const proxyId = ownerOf(pod);
      const uid = pod.metadata?.uid;
      if (proxyId === undefined || uid === undefined) continue;
      present.add(uid);
      withPods.add(proxyId);
      const seenAt = this.#seenAt.get(uid) ?? now;
      this.#seenAt.set(uid, seenAt);
      const wanted = () => proxies.isDead(proxyId, seenAt);
      const grace = wanted() ? orphanGrace(pod) : undefined;
      if (grace !== undefined) this.#due.push({ uid, wanted, remove: (timeoutMs) => this.#deletePod(pod, grace, timeoutMs) });
    }
    for (const lease of proxies.leases.values()) {
      const proxyId = proxyOf(lease);
      const uid = lease.metadata?.uid;
      if (proxyId === undefined || uid === undefined) continue;
      present.add(uid);
      const wanted = () => proxies.isDead(proxyId, now);
      // While there are pods of it the Lease stays: whoever leads next knows at once what they are.
      if (wanted() && !withPods.has(proxyId)) this.#due.push({ uid, wanted, remove: () => deleteLease(client, lease, false) });
    }
    for (const uid of this.#seenAt.keys()) if (!present.has(uid)) this.#seenAt.delete(uid);
    for (const uid of this.#deletions.keys()) if (!present.has(uid)) this.#deletions.delete(uid);
    this.#due.reverse(); // the end of a list is taken for nothing
    this.#begin(over);
  }

  async #deletePod(pod: V1Pod, grace: number, timeoutMs: number): Promise<void> {
    if (!(await deletePod(this.#options.client, pod, grace, { timeoutMs }))) return; // it was gone
    const { namespace = '', labels = {} } = pod.metadata ?? {};
    this.#options.observer.orphanDeleted(`${namespace}/${labels[LABEL_FUNCTION]}`);
  }

  /** Begins deletions, as many as may be under way, of what is not under way, not done, and whose time has come. */
  #begin(over: AbortSignal): void {
    while (!over.aborted && this.#inFlight < MOST_IN_FLIGHT) {
      const due = this.#due.pop();
      if (!due) return;
      const deletion = this.#deletions.get(due.uid) ?? { failures: 0, nextAt: 0 };
      if (performance.now() >= deletion.nextAt && due.wanted()) void this.#delete(due, deletion, over);
    }
  }

  async #delete({ uid, remove }: Due, deletion: Deletion, over: AbortSignal): Promise<void> {
    this.#deletions.set(uid, deletion);
    deletion.nextAt = Number.POSITIVE_INFINITY;
    this.#inFlight++;
    try {
      await remove(deletion.failures === 0 ? FIRST_CALL_MS : CALL_MS);
      deletion.nextAt = performance.now() + AGAIN_MS;
    } catch (error) {
      deletion.nextAt = performance.now() + backoff(deletion.failures++, Math.random());
      this.#options.log(`an orphan cannot be deleted yet: ${(error as Error).message}`);
    }
    this.#inFlight--;
    this.#begin(over);
  }
}
