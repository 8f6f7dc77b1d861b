// One function: what is observed -> its status, written if it differs and not too often, and an Event where its conditions changed.
import { setTimeout as sleep } from 'node:timers/promises';
import type { WebSocketFunctionStatus } from '../api/types.ts';
import { type ConditionFacts, changesOf, conditionOf, conditionsOf, SHORT_MS, type Verdict, type WarmPods } from '../core/conditions.ts';
import { Pace } from '../core/pace.ts';
import { templateHash } from '../core/pod.ts';
import { hostsHeld, takenHosts } from '../core/route.ts';
import { countPods, differenceOf, type PodCounts, statusOf } from '../core/status.ts';
import { type KubeClient, KubeError } from '../kube/client.ts';
import type { Events } from '../kube/events.ts';
import { applyStatus } from '../kube/functions.ts';
import type { Entry, FunctionSet } from './function-set.ts';
import type { PodIndex } from './pod-index.ts';
import type { Trials } from './trials.ts';

/** Counts of one function are written no more often (ms). */
const COUNTS_MS = 2000;
/** Statuses of all functions that are written in a second, and at once. */
const PER_SECOND = 20;
const BURST = 40;

/** What a status is made with. */
export interface ReconcilerOptions {
  readonly client: KubeClient;
  readonly functions: FunctionSet;
  readonly pods: PodIndex;
  readonly trials: Pick<Trials, 'look' | 'forget'>;
  readonly events: Pick<Events, 'tell'>;
  /** Base of the addresses of clients; undefined: the operator has not said. */
  readonly publicUrl: string | undefined;
  /** Does a proxy live that does not drain? */
  hasProxy(): boolean;
}

/** The last status that was written to a function. */
interface Written {
  readonly at: number;
  readonly status: WebSocketFunctionStatus;
  /** What was stored then: others may have fields of their own in it, which are not taken from them again and again. */
  readonly stored: WebSocketFunctionStatus | undefined;
}

/** The status that a function should have. */
interface Wanted {
  readonly entry: Entry;
  readonly status: WebSocketFunctionStatus;
  readonly difference: ReturnType<typeof differenceOf>;
  /** When time alone may change it (ms). */
  readonly againMs: number | undefined;
}

/** Writes statuses, one function at a time. */
export class Reconciler {
  readonly #options: ReconcilerOptions;
  readonly #pace = new Pace(PER_SECOND, BURST);
  readonly #written = new Map<string, Written>();
  /** Since when a function has had fewer warm pods than it wants. */
  readonly #shortSince = new Map<string, number>();

  constructor(options: ReconcilerOptions) {
    this.#options = options;
  }

  forget(key: string): void {
    for (const map of [this.#written, this.#shortSince]) map.delete(key);
    this.#options.trials.forget(key);
    this.#options.pods.forgetFailure(key);
  }

  /** @returns after how many ms it wants to look again; undefined: at the next change */
  async reconcile(key: string): Promise<number | undefined> {
    const found = this.#look(key);
    if (!found) return undefined;
    const sinceMs = performance.now() - (this.#written.get(key)?.at ?? Number.NEGATIVE_INFINITY);
    if (found.difference === 'none') return found.againMs;
    if (found.difference === 'counts' && sinceMs < COUNTS_MS) return COUNTS_MS - sinceMs;
    await sleep(this.#pace.take(performance.now()));
    const now = this.#look(key); // it may be another by now
    if (!now || now.difference === 'none') return now?.againMs;
    await this.#write(key, now.entry, now.status);
    return now.againMs;
  }

  async #write(key: string, { fn, found }: Entry, status: WebSocketFunctionStatus): Promise<void> {
    const { client, functions, events } = this.#options;
    try {
      const stored = await applyStatus(client, fn, status);
      this.#written.set(key, { at: performance.now(), status, stored: stored.status });
      functions.stored(stored);
    } catch (error) {
      // 404, 409: gone, or another one of its name by now; the watch will tell.
      if (error instanceof KubeError && (error.status === 404 || error.status === 409)) return;
      throw error;
    }
    for (const change of changesOf(found.status?.conditions ?? [], status.conditions ?? [])) {
      events.tell({ function: key, functionUid: fn.uid, ...change });
    }
  }

  /** Undefined: nothing is to be said of this function now. */
  #look(key: string): Wanted | undefined {
    const { functions, pods, publicUrl, hasProxy } = this.#options;
    const entry = functions.get(key);
    if (!entry || entry.found.metadata.deletionTimestamp) return undefined;
    const verdict = this.#verdict(key, entry);
    if (!verdict) return undefined;
    const { fn, found } = entry;
    const counts = countPods(pods.of(key));
    const warm = this.#warm(key, entry, counts);
    const facts: ConditionFacts = { verdict, switchedOff: fn.spec.maxConnections === 0, hasProxy: hasProxy(), warm };
    const now = `${new Date().toISOString().slice(0, 19)}Z`;
    const conditions = conditionsOf(facts, found.status?.conditions ?? [], now);
    const status = statusOf({ fn, hosts: hostsHeld(fn, functions.owners()), counts, conditions, publicUrl });
    const patient = warm && warm.shortForMs > 0 && conditionOf(conditions, 'WarmPodsReady')?.status === 'True';
    const written = this.#written.get(key);
    const done = written && differenceOf(written.status, status) === 'none' && differenceOf(found.status, written.stored ?? {}) === 'none';
    const difference = done ? 'none' : differenceOf(found.status, status);
    return { entry, status, difference, againMs: patient ? SHORT_MS - warm.shortForMs : undefined };
  }

  /**
   * While the trial of a new template is under way the verdict on the one before holds, with its generation; a new function has no
   * conditions until then. So nothing is written that the answer would take back a moment later.
   */
  #verdict(key: string, { fn, fault, found }: Entry): Verdict | undefined {
    const { functions, trials } = this.#options;
    const { generation } = fn;
    if (fault) return { ...fault, generation };
    const taken = takenHosts(fn, functions.owners());
    if (taken !== '') return { reason: 'HostTaken', message: `${taken}; choose another host`, generation };
    const tried = trials.look(key, fn, found.status);
    if (tried?.passed) return { reason: 'Accepted', message: 'nothing stands against it', generation };
    if (tried) return { reason: 'PodRejected', message: tried.message, generation };
    const before = conditionOf(found.status?.conditions, 'Accepted');
    if (before?.observedGeneration === undefined) return undefined;
    return { reason: before.reason as Verdict['reason'], message: before.message, generation: before.observedGeneration };
  }

  #warm(key: string, { fn }: Entry, { warmReady }: PodCounts): WarmPods | undefined {
    const { pods } = this.#options;
    const { warmPods, maxConnections } = fn.spec;
    const wanted = maxConnections === 0 ? 0 : warmPods;
    if (warmReady >= wanted) {
      this.#shortSince.delete(key);
      pods.forgetFailure(key);
      return wanted === 0 ? undefined : { wanted, ready: warmReady, shortForMs: 0 };
    }
    const since = this.#shortSince.get(key) ?? performance.now();
    this.#shortSince.set(key, since);
    const shortForMs = Math.max(1, performance.now() - since);
    return { wanted, ready: warmReady, shortForMs, failure: pods.failure(key, templateHash(fn)) };
  }
}
