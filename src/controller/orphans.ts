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

/** Finds orphans and deletes them. */
export class Orphans {
  readonly #options: OrphansOptions;
  /** When each pod was first seen, by uid. */
  readonly #seenAt = new Map<string, number>();
  /** By uid. */
  readonly #deletions = new Map<string, Deletion>();
  #inFlight = 0;

  constructor(options: OrphansOptions) {
    this.#options = options;
  }

  /** Looks at all pods and Leases once, and begins what is to be done. Called every second by the leader. */
  check(): void {
    const { pods, proxies } = this.#options;
    const now = performance.now();
    const present = new Set<string>();
    const withPods = new Set<string>();
    for (const pod of pods.values()) {
      const proxyId = ownerOf(pod);
      const uid = pod.metadata?.uid;
      if (proxyId === undefined || uid === undefined) continue;
      present.add(uid);
      withPods.add(proxyId);
      const seenAt = this.#seenAt.get(uid) ?? now;
      this.#seenAt.set(uid, seenAt);
      const grace = proxies.isDead(proxyId, seenAt) ? orphanGrace(pod) : undefined;
      if (grace !== undefined) this.#delete(uid, () => this.#deletePod(pod, grace));
    }
    for (const lease of proxies.leases.values()) {
      const proxyId = proxyOf(lease);
      const uid = lease.metadata?.uid;
      if (proxyId === undefined || uid === undefined) continue;
      present.add(uid);
      // While there are pods of it the Lease stays: whoever leads next knows at once what they are.
      if (proxies.isDead(proxyId, now) && !withPods.has(proxyId)) this.#delete(uid, () => deleteLease(this.#options.client, lease, false));
    }
    for (const uid of this.#seenAt.keys()) if (!present.has(uid)) this.#seenAt.delete(uid);
    for (const uid of this.#deletions.keys()) if (!present.has(uid)) this.#deletions.delete(uid);
  }

  async #deletePod(pod: V1Pod, grace: number): Promise<void> {
    if (!(await deletePod(this.#options.client, pod, grace))) return; // it was gone
    const { namespace = '', labels = {} } = pod.metadata ?? {};
    this.#options.observer.orphanDeleted(`${namespace}/${labels[LABEL_FUNCTION]}`);
  }

  /** Begins a deletion, unless it is under way, done, or its time has not come. */
  #delete(uid: string, remove: () => Promise<void>): void {
    const deletion = this.#deletions.get(uid) ?? { failures: 0, nextAt: 0 };
    if (this.#inFlight >= MOST_IN_FLIGHT || performance.now() < deletion.nextAt) return;
    this.#deletions.set(uid, deletion);
    deletion.nextAt = Number.POSITIVE_INFINITY;
    this.#inFlight++;
    remove()
      .then(() => {
        deletion.nextAt = performance.now() + AGAIN_MS;
      })
      .catch((error: Error) => {
        deletion.nextAt = performance.now() + backoff(deletion.failures++, Math.random());
        this.#options.log(`an orphan cannot be deleted yet: ${error.message}`);
      })
      .finally(() => this.#inFlight--);
  }
}
