// One pod of this proxy, from its creation until the API server no longer has it: its newest state, who ended it, and a deletion
// that is tried until it has happened.
import type { V1Pod } from '@kubernetes/client-node';
import { backoff } from '../core/backoff.ts';
import { causeOfDrop, describeEnd, endedByOthers, everRan } from '../core/pod-status.ts';
import type { KubeClient } from '../kube/client.ts';
import { deletePod } from '../kube/pods.ts';
import type { Cause } from './runtime.ts';

/** What others did to a pod. */
export type ByOthers = 'pod_evicted' | 'pod_deleted' | undefined;

/** A pod that this process created. */
export class OwnPod {
  /** The newest state that was seen. */
  pod: V1Pod;
  /** The API server has it no more. */
  gone = false;
  /** Resolves when the API server has it no more. */
  readonly vanished: Promise<void>;
  #vanish = (): void => {};
  readonly #client: KubeClient;
  readonly #log: (line: string) => void;
  #waiting: (() => void)[] = [];
  /** When our DELETE went out first, in ms; 0 before. */
  #deletedAt = 0;
  /** The resourceVersion that our DELETE left; deletions seen in an older one were not ours. */
  #deleteVersion: bigint | undefined;
  /** Our first DELETE found nothing: somebody else's was quicker. */
  #foundGone = false;
  /** The oldest state in which the pod was being ended. */
  #endedIn: { readonly version: bigint; readonly how: ByOthers } | undefined;

  constructor(pod: V1Pod, client: KubeClient, log: (line: string) => void) {
    this.pod = pod;
    this.#client = client;
    this.#log = log;
    this.vanished = new Promise((resolve) => {
      this.#vanish = resolve;
    });
  }

  /** The watch showed a newer state. */
  update(pod: V1Pod): void {
    if (versionOf(pod) < versionOf(this.pod)) return; // the answer to a call of ours was quicker than the watch
    this.pod = pod;
    const how = endedByOthers(pod);
    // An eviction shows first as a condition, then as a deletion: the eviction is the cause.
    if (how && (!this.#endedIn || (how === 'pod_evicted' && this.#deletedAt === 0))) this.#endedIn = { version: versionOf(pod), how };
    this.#changed();
  }

  /** The watch showed that the pod is gone. */
  vanish(pod: V1Pod): void {
    this.update(pod);
    this.#setGone();
  }

  #setGone(): void {
    this.gone = true;
    this.#vanish();
    this.#changed();
  }

  /** Resolves at the next change, or when the signal is aborted. */
  change(signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const done = () => {
        signal.removeEventListener('abort', done);
        resolve();
      };
      this.#waiting.push(done);
      signal.addEventListener('abort', done, { once: true });
    });
  }

  /** Was its deletion asked for? */
  get deleting(): boolean {
    return this.#deletedAt > 0;
  }

  /** Was its deletion asked for, and not taken by the API server yet? */
  get deletePending(): boolean {
    return this.deleting && this.#deleteVersion === undefined && !this.gone;
  }

  /** What others did to the pod before our DELETE, as far as is known. */
  get byOthers(): ByOthers {
    if (this.#foundGone) return this.#endedIn?.how ?? 'pod_deleted';
    if (this.#endedIn && this.#deletedAt === 0) return this.#endedIn.how;
    if (this.#endedIn && this.#deleteVersion !== undefined && this.#endedIn.version < this.#deleteVersion) return this.#endedIn.how;
    if (this.gone && this.#deletedAt === 0) return 'pod_deleted';
    return undefined;
  }

  /**
   * Deletes the pod, and goes on trying while the API server is away. Returns at once.
   * @param dropped grace 1: the kubelet looks at the container at once, and the cause of its end shows soonest
   */
  delete(dropped: boolean): void {
    if (this.#deletedAt > 0 || this.gone) return;
    this.#deletedAt = performance.now();
    const grace = !everRan(this.pod) ? 0 : dropped ? 1 : undefined;
    void this.#deleteUntilDone(grace);
  }

  async #deleteUntilDone(grace: number | undefined): Promise<void> {
    for (let attempt = 0; !this.gone; attempt++) {
      try {
        const left = await deletePod(this.#client, this.pod, grace);
        // Gone already, and maybe before anybody watched for it: no event will tell.
        if (!left) {
          this.#foundGone = attempt === 0; // a DELETE whose answer was lost may have been our own success
          return this.#setGone();
        }
        this.#deleteVersion = versionOf(left);
        this.#changed();
        return;
      } catch (error) {
        this.#log(`pod ${this.pod.metadata?.name} cannot be deleted yet: ${error instanceof Error ? error.message : error}`);
        await new Promise((resolve) => setTimeout(resolve, backoff(attempt, Math.random())));
      }
    }
  }

  /** Why the function's socket dropped; `function_dropped` when nothing certain has shown in `withinMs`. */
  async cause(withinMs: number): Promise<Cause> {
    const signal = AbortSignal.timeout(withinMs);
    for (;;) {
      const reason = causeOfDrop(this.pod, this.byOthers);
      if (reason) return { reason, ...describeEnd(this.pod) };
      if (this.gone || signal.aborted) return { reason: this.byOthers ?? 'function_dropped', ...describeEnd(this.pod) };
      await this.change(signal);
    }
  }

  #changed(): void {
    for (const done of this.#waiting.splice(0)) done();
  }
}

function versionOf(pod: V1Pod): bigint {
  const text = pod.metadata?.resourceVersion ?? '';
  return /^[0-9]+$/.test(text) ? BigInt(text) : 0n;
}
