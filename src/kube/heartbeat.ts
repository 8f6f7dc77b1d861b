// A proxy's sign of life: one Lease a process, made before its first pod and deleted after its last. When it stays silent, the
// controller deletes the pods that bear its id.
import { setTimeout as sleep } from 'node:timers/promises';
import type { V1Lease } from '@kubernetes/client-node';
import { ANNOTATION_DRAINING, LABEL_LEASE, PROXY_LEASE_PREFIX } from '../api/names.ts';
import { isConflict, isNotFound, type KubeClient } from './client.ts';
import { createLease, deleteLease, microTime, patchLease } from './lease.ts';

/** How long a Lease says that it holds (contract part 9), in seconds. */
const LEASE_SECONDS = 30;
/** Thrice within the time after which the proxy would be dead (ms). */
const RENEW_MS = 10_000;
/** Wait after a renewal that failed (ms). */
const RETRY_MS = 2000;

/** What a heartbeat is made with. */
export interface HeartbeatOptions {
  readonly client: KubeClient;
  /** Where the Lease is. */
  readonly namespace: string;
  /** The 10-character id of this process. */
  readonly proxyId: string;
  /** The pod that this process runs in, or its host. */
  readonly podName: string;
  /** With it the Lease goes when the pod does; undefined: unknown. */
  readonly podUid: string | undefined;
  readonly renewMs?: number;
  /** A fault that mends itself, for the log. */
  log(line: string): void;
  /** A call failed: see Proxies.doubt. */
  failed?(): void;
}

/** The Lease of this process. */
export class Heartbeat {
  readonly #options: HeartbeatOptions;
  readonly #stopped = new AbortController();
  #running: Promise<void> = Promise.resolve();
  #wake = new AbortController();
  #draining = false;
  /** The Lease says what it should. */
  #told = true;
  #failing = false;

  constructor(options: HeartbeatOptions) {
    this.#options = options;
  }

  /** Creates the Lease; from then on it is renewed. Rejects with a KubeError: no pod may be made then. */
  async start(): Promise<void> {
    await this.#create();
    this.#running = this.#run();
  }

  /** Tells everybody that this proxy takes no part in what is to come; renewals go on. */
  drain(): void {
    this.#draining = true;
    this.#told = false;
    this.#wake.abort();
  }

  /** Deletes the Lease. The last thing to do: pods that are left are orphans from now on. */
  async stop(): Promise<void> {
    this.#stopped.abort();
    await this.#running; // a renewal on its way would make it again
    await deleteLease(this.#options.client, { metadata: this.#name }).catch((error: Error) =>
      this.#options.log(`the Lease of this proxy cannot be deleted: ${error.message}; the controller does it in its time`),
    );
  }

  async #run(): Promise<void> {
    const { renewMs = RENEW_MS } = this.#options;
    for (;;) {
      const waitMs = this.#failing ? Math.min(RETRY_MS, renewMs) : this.#told ? renewMs : 0;
      this.#wake = new AbortController();
      const signal = AbortSignal.any([this.#wake.signal, this.#stopped.signal]);
      await sleep(waitMs, undefined, { signal }).catch(() => {}); // woken
      if (this.#stopped.signal.aborted) return;
      try {
        const draining = this.#draining;
        await this.#renew();
        this.#told = draining === this.#draining;
        this.#failing = false;
      } catch (error) {
        this.#options.failed?.();
        if (!this.#failing) this.#options.log(`the Lease of this proxy cannot be renewed: ${(error as Error).message}`);
        this.#failing = true;
      }
    }
  }

  async #renew(): Promise<void> {
    try {
      await patchLease(this.#options.client, this.#lease());
    } catch (error) {
      if (!isNotFound(error)) throw error;
      this.#options.log('the Lease of this proxy was deleted; it is made again');
      await this.#create();
    }
  }

  async #create(): Promise<void> {
    try {
      await createLease(this.#options.client, this.#lease());
    } catch (error) {
      if (!isConflict(error)) throw error; // the answer to an earlier create was lost
      await patchLease(this.#options.client, this.#lease());
    }
  }

  get #name(): { namespace: string; name: string } {
    return { namespace: this.#options.namespace, name: `${PROXY_LEASE_PREFIX}${this.#options.proxyId}` };
  }

  #lease(): V1Lease {
    const { podName, podUid } = this.#options;
    return {
      metadata: {
        ...this.#name,
        labels: { [LABEL_LEASE]: 'proxy' },
        ...(this.#draining ? { annotations: { [ANNOTATION_DRAINING]: 'true' } } : {}),
        ...(podUid ? { ownerReferences: [{ apiVersion: 'v1', kind: 'Pod', name: podName, uid: podUid }] } : {}),
      },
      // Text, where the type says Date.
      spec: { holderIdentity: podName, leaseDurationSeconds: LEASE_SECONDS, renewTime: microTime() } as object,
    };
  }
}
