// Places of other replicas: where all names of a function are held and some of them by warm pods of others, a start asks one owner to
// give one up, by a label on the pod. The owner deletes it if it still has it in hand.
import type { V1Pod } from '@kubernetes/client-node';
import { LABEL_PROXY, LABEL_WANTED } from '../api/names.ts';
import { isWarmPod } from '../core/pod.ts';
import type { ServedFunction } from '../core/served.ts';
import type { KubeClient } from '../kube/client.ts';
import { patchPod } from '../kube/pods.ts';
import type { OwnPods } from './own-pods.ts';

/** What asks. */
export interface WantedOptions {
  readonly client: KubeClient;
  readonly proxyId: string;
  readonly pods: OwnPods;
  /** The ids of the replicas that are known to live: who is not among them may never answer. */
  sharing(): readonly string[];
  /** A pod cannot be asked for, so another one may be. */
  refused(): void;
  log(line: string): void;
}

/** How long an owner may take, and how long one that could not be asked is left alone (ms). */
const ASKED_MS = 10_000;

/** Remembers whom it has asked. */
export class Wanted {
  readonly #options: WantedOptions;
  /** By the pod's uid. */
  readonly #asked = new Map<string, { readonly until: number; failed: boolean }>();

  constructor(options: WantedOptions) {
    this.#options = options;
  }

  /** Places of this function that were asked for and are not being freed yet. */
  asked(fn: ServedFunction): number {
    let count = 0;
    for (const pod of this.#others(fn)) if (this.#asked.get(uidOf(pod))?.failed === false) count++;
    return count;
  }

  /** Are there places that can be asked for, or were asked for? */
  possible(fn: ServedFunction): boolean {
    return !this.#others(fn).next().done;
  }

  /** Asks for one more. @returns false when there is none to ask for */
  ask(fn: ServedFunction): boolean {
    const living = this.#options.sharing();
    const others = [...this.#others(fn)].filter((pod) => !this.#asked.has(uidOf(pod)) && labelOf(pod, LABEL_WANTED) === '');
    const pod = others.find((other) => living.includes(labelOf(other, LABEL_PROXY))) ?? others[0];
    if (!pod) return false;
    const asked = { until: performance.now() + ASKED_MS, failed: false };
    this.#asked.set(uidOf(pod), asked);
    const { client, proxyId, log, refused } = this.#options;
    patchPod(client, pod, { metadata: { labels: { [LABEL_WANTED]: proxyId } } }).catch((error: Error) => {
      asked.failed = true;
      log(`pod ${pod.metadata?.name} cannot be asked for: ${error.message}`);
      refused();
    });
    return true;
  }

  /** Warm pods of other replicas that stay for now. */
  *#others(fn: ServedFunction): Generator<V1Pod> {
    for (const [uid, { until }] of this.#asked) if (performance.now() > until) this.#asked.delete(uid);
    for (const pod of this.#options.pods.shown(fn)) {
      if (labelOf(pod, LABEL_PROXY) !== this.#options.proxyId && isWarmPod(pod) && !pod.metadata?.deletionTimestamp) yield pod;
    }
  }
}

function uidOf({ metadata }: V1Pod): string {
  return metadata?.uid ?? '';
}

function labelOf({ metadata }: V1Pod, label: string): string {
  return metadata?.labels?.[label] ?? '';
}
