// Places of other replicas: where all names of a function are held and some of them by warm pods of others, a start asks one owner to
// give one up, by a label on the pod. The owner deletes it if it still has it in hand.
import type { V1Pod } from '@kubernetes/client-node';
import { LABEL_PROXY, LABEL_WANTED } from '../api/names.ts';
import { keyOf, type ServedFunction } from '../core/served.ts';
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
  /** A pod of this function, `namespace/name`, cannot be asked for, so another one may be. */
  refused(fn: string): void;
  log(line: string): void;
}

/** How long an owner may take, and how long one that could not be asked is left alone (ms). */
const ASKED_MS = 10_000;

/** A pod that was asked for. */
interface Asked {
  readonly slot: number;
  readonly until: number;
  failed: boolean;
}

/** Remembers whom it has asked. */
export class Wanted {
  readonly #options: WantedOptions;
  /** By function, and the pod's uid. */
  readonly #asked = new Map<string, Map<string, Asked>>();

  constructor(options: WantedOptions) {
    this.#options = options;
  }

  /** Places of this function that were asked for and are not being freed yet. */
  asked(fn: ServedFunction): number {
    const others = this.#options.pods.ofOthers(fn);
    let count = 0;
    for (const [uid, { slot, failed }] of this.#recent(fn)) if (!failed && uidOf(others.get(slot)) === uid) count++;
    return count;
  }

  /** Are there places that can be asked for, or were asked for? */
  possible(fn: ServedFunction): boolean {
    return this.#options.pods.ofOthers(fn).size > 0;
  }

  /** Asks for one more. @returns false when there is none to ask for */
  ask(fn: ServedFunction): boolean {
    const { client, proxyId, pods, sharing, log, refused } = this.#options;
    const living = sharing();
    const recent = this.#recent(fn);
    const others = [...pods.ofOthers(fn)].filter(([, pod]) => !recent.has(uidOf(pod)) && labelOf(pod, LABEL_WANTED) === '');
    const [slot, pod] = others.find(([, other]) => living.includes(labelOf(other, LABEL_PROXY))) ?? others[0] ?? [];
    if (slot === undefined || !pod) return false;
    const asked = { slot, until: performance.now() + ASKED_MS, failed: false };
    this.#asked.set(keyOf(fn), recent.set(uidOf(pod), asked));
    patchPod(client, pod, { metadata: { labels: { [LABEL_WANTED]: proxyId } } }).catch((error: Error) => {
      asked.failed = true;
      log(`pod ${pod.metadata?.name} cannot be asked for: ${error.message}`);
      refused(keyOf(fn));
    });
    return true;
  }

  /** Those that were asked a moment ago; the others are forgotten. */
  #recent(fn: ServedFunction): Map<string, Asked> {
    const asked = this.#asked.get(keyOf(fn)) ?? new Map<string, Asked>();
    for (const [uid, { until }] of asked) if (performance.now() > until) asked.delete(uid);
    if (asked.size === 0) this.#asked.delete(keyOf(fn));
    return asked;
  }
}

function uidOf(pod: V1Pod | undefined): string {
  return pod?.metadata?.uid ?? '';
}

function labelOf({ metadata }: V1Pod, label: string): string {
  return metadata?.labels?.[label] ?? '';
}
