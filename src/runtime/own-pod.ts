// One pod of this proxy, from its creation until the API server no longer has it: its newest state, who ended it, patches, and a
// deletion that is tried until it has happened.
import { setTimeout as pause } from 'node:timers/promises';
import type { V1Pod } from '@kubernetes/client-node';
import { backoff } from '../core/backoff.ts';
import { type ByOthers, type EndsSeen, NOTHING_SEEN, seeEnd, whoEnded } from '../core/deletion.ts';
import { causeOfDrop, describeEnd, endedByOthers, everRan } from '../core/pod-status.ts';
import { type KubeClient, KubeError } from '../kube/client.ts';
import { deletePod, patchPod } from '../kube/pods.ts';
import { Changes } from './changes.ts';
import type { Cause } from './runtime.ts';

/** The longest wait before a call is tried again: nobody waits for it, and an API server that comes back has more to do (ms). */
const MOST_MS = 20_000;

/** What a pod is followed with. */
export interface OwnPodOptions {
  readonly client: KubeClient;
  log(line: string): void;
  /** Its deletion was asked for just now. */
  deleted(): void;
}

/** A pod that this process created. */
export class OwnPod {
  /** The newest state that was seen. */
  pod: V1Pod;
  /** Resolves when the API server has it no more. */
  readonly vanished: Promise<void>;
  #vanish = (): void => {};
  readonly #options: OwnPodOptions;
  readonly #changes = new Changes();
  #seen: EndsSeen = NOTHING_SEEN;
  #patched: Promise<boolean> = Promise.resolve(true);

  constructor(pod: V1Pod, options: OwnPodOptions) {
    this.pod = pod;
    this.#options = options;
    this.vanished = new Promise((resolve) => {
      this.#vanish = resolve;
    });
  }

  /** The watch showed a newer state. */
  update(pod: V1Pod): void {
    if (versionOf(pod) < versionOf(this.pod)) return; // the answer to a call of ours was quicker than the watch
    this.pod = pod;
    const how = endedByOthers(pod);
    if (how) this.#seen = seeEnd(this.#seen, how, versionOf(pod));
    this.#changes.tell();
  }

  /** The watch showed that the pod is gone. */
  vanish(pod: V1Pod): void {
    this.update(pod);
    this.#setGone();
  }

  #setGone(): void {
    this.#seen = { ...this.#seen, gone: true };
    this.#vanish();
    this.#changes.tell();
  }

  /** Resolves at the next change, or when the signal is aborted. */
  change(signal: AbortSignal): Promise<void> {
    return this.#changes.next(signal);
  }

  /** The API server has it no more. */
  get gone(): boolean {
    return this.#seen.gone;
  }

  /** Was its deletion asked for? */
  get deleting(): boolean {
    return this.#seen.sent;
  }

  /** Was its deletion asked for, and not taken by the API server yet? */
  get deletePending(): boolean {
    return this.deleting && this.#seen.deleteVersion === undefined && !this.gone;
  }

  /** What others did to the pod before our DELETE, as far as is known. */
  get byOthers(): ByOthers | undefined {
    const who = whoEnded(this.#seen);
    return who === 'unknown' ? undefined : who;
  }

  /**
   * Merges a patch into the pod, after those before it, and goes on trying while the API server is away.
   * @returns resolves to true when that is done, or the API server refuses it for good; to false when the pod is being deleted first
   */
  patch(patch: { readonly metadata?: object }): Promise<boolean> {
    this.#patched = this.#patched.then(() => this.#patchUntilDone(patch));
    return this.#patched;
  }

  async #patchUntilDone(patch: { readonly metadata?: object }): Promise<boolean> {
    for (let attempt = 0; !this.gone && !this.deleting; attempt++) {
      try {
        this.update(await patchPod(this.#options.client, this.pod, patch));
        return true;
      } catch (error) {
        if (!(error instanceof KubeError)) throw error;
        const lasting = isLasting(error, attempt);
        const gone = this.gone || this.deleting;
        if (attempt === 0 && !gone)
          this.#options.log(`pod ${this.pod.metadata?.name} cannot be labelled${lasting ? '' : ' yet'}: ${error.message}`);
        if (lasting && !gone) return true;
        if (!gone) await pause(waitMs(error, attempt));
      }
    }
    return false;
  }

  /**
   * Deletes the pod, and goes on trying while the API server is away. Returns at once.
   * @param dropped grace 1: the kubelet looks at the container at once, and the cause of its end shows soonest
   */
  delete(dropped: boolean): void {
    if (this.deleting || this.gone) return;
    this.#seen = { ...this.#seen, sent: true };
    this.#options.deleted();
    const grace = !everRan(this.pod) ? 0 : dropped ? 1 : undefined;
    void this.#deleteUntilDone(grace);
  }

  async #deleteUntilDone(grace: number | undefined): Promise<void> {
    let lost = false; // was there a DELETE that may have been done, though nobody said so?
    for (let attempt = 0; !this.gone; attempt++) {
      try {
        const left = await deletePod(this.#options.client, this.pod, grace, { once: true });
        // Gone already, and maybe before anybody watched for it: no event will tell.
        if (!left) {
          this.#seen = { ...this.#seen, foundGone: !lost };
          return this.#setGone();
        }
        // What ended the pod before this answer may have been the one that was lost: it is not held against others.
        this.#seen = { ...this.#seen, deleteVersion: lost ? 0n : versionOf(left) };
        this.#changes.tell();
        return;
      } catch (error) {
        // Any error is tried again, a fault of the program too: nothing else ends this pod.
        lost ||= !(error instanceof KubeError) || error.status === 0 || error.status >= 500;
        if (attempt === 0)
          this.#options.log(`pod ${this.pod.metadata?.name} cannot be deleted yet: ${error instanceof Error ? error.message : error}`);
        await pause(waitMs(error, attempt));
      }
    }
  }

  /** Why the function's socket dropped; `function_dropped` when nothing certain has shown in `withinMs`. */
  async cause(withinMs: number): Promise<Cause> {
    const signal = AbortSignal.timeout(withinMs);
    for (;;) {
      const decided = whoEnded(this.#seen) !== 'unknown' || signal.aborted;
      const reason = decided ? causeOfDrop(this.pod, this.byOthers) : undefined;
      const over = signal.aborted || (decided && this.gone);
      if (reason || over) return { reason: reason ?? this.byOthers ?? 'function_dropped', ...describeEnd(this.pod) };
      await this.change(signal);
    }
  }
}

/** What says that a patch will never be taken: it is wrong, or the pod is gone, or another one has its name. */
const NEVER = [400, 404, 409, 422];
/** Another refusal may be one of an API server that has just started, which does not know all roles yet; but not for ever. */
const MOST_REFUSALS = 5;

function isLasting({ status }: KubeError, attempt: number): boolean {
  return NEVER.includes(status) || (status >= 400 && status < 500 && status !== 429 && attempt >= MOST_REFUSALS);
}

/** How long to wait before a call that failed is tried again: as long as the API server asks for, at least. */
function waitMs(error: unknown, attempt: number): number {
  return Math.max(error instanceof KubeError ? error.retryAfterMs : 0, backoff(attempt, Math.random(), undefined, MOST_MS));
}

function versionOf(pod: V1Pod): bigint {
  const text = pod.metadata?.resourceVersion ?? '';
  return /^[0-9]+$/.test(text) ? BigInt(text) : 0n;
}
