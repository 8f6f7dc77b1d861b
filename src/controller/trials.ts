// Tries the pod of each function as a dry run, once for each template, so that a typo or a policy of the cluster shows in the
// function's status and not at its first client (contract part 7).
import { setTimeout as sleep } from 'node:timers/promises';
import type { WebSocketFunctionStatus } from '../api/types.ts';
import { backoff } from '../core/backoff.ts';
import { Pace } from '../core/pace.ts';
import { templateHash } from '../core/pod.ts';
import type { ServedFunction } from '../core/served.ts';
import { type Tried, trialPod, triedBefore, triedBy } from '../core/trial.ts';
import { type KubeClient, KubeError } from '../kube/client.ts';
import { tryPod } from '../kube/pods.ts';
import { WorkQueue } from '../kube/queue.ts';

/** After a refusal, or an answer that says nothing, a pod is tried again: the first pause, and the longest (contract part 7), in ms. */
const FIRST_RETRY_MS = 5000;
const MOST_RETRY_MS = 300_000;
/** Trials at a time, in a second, and at once. */
const CONCURRENCY = 4;
const PER_SECOND = 20;
const BURST = 40;

/** A right that is missing is missed at every trial: the log tells of it this often (ms). */
const LOG_MS = 600_000;

/** What trials are made with. */
export interface TrialsOptions {
  readonly client: KubeClient;
  /** The restricted defaults go under what templates say (--pod-defaults). */
  readonly podDefaults: boolean;
  /** The function of a key, by the newest knowledge. */
  find(key: string): ServedFunction | undefined;
  /** More is known of a function's pods now. */
  judged(key: string): void;
  ended(key: string, seconds: number, error: Error | undefined): void;
  log(line: string): void;
}

interface Known {
  readonly uid: string;
  readonly generation: number;
  readonly hash: string;
  readonly tried: Tried | undefined;
  /** Trials that did not pass, one after another. */
  readonly failures: number;
}

/** What is known of each function's pods. It works from start() to stop(). */
export class Trials {
  readonly #options: TrialsOptions;
  readonly #known = new Map<string, Known>();
  readonly #pace = new Pace(PER_SECOND, BURST);
  readonly #queue: WorkQueue;
  #loggedAt = Number.NEGATIVE_INFINITY;

  constructor(options: TrialsOptions) {
    this.#options = options;
    this.#queue = new WorkQueue({
      concurrency: CONCURRENCY,
      work: (key) => this.#try(key),
      ended: (key, seconds, error) => options.ended(key, seconds, error),
    });
  }

  /** Trials that wait. */
  get depth(): number {
    return this.#queue.depth;
  }

  start(): void {
    this.#known.clear(); // another may have led meanwhile: the statuses know
    this.#queue.start();
  }

  stop(): Promise<void> {
    return this.#queue.stop();
  }

  forget(key: string): void {
    this.#known.delete(key);
  }

  /** What is known of the pods of this function; undefined: its trial is under way, and `judged` will be called. */
  look(key: string, fn: ServedFunction, status: WebSocketFunctionStatus | undefined): Tried | undefined {
    const known = this.#known.get(key);
    if (known?.uid === fn.uid && known.generation === fn.generation) return known.tried;
    const { uid, generation } = fn;
    const hash = templateHash(fn);
    const same = known?.uid === uid && known.hash === hash && known.tried !== undefined;
    const tried = same ? known.tried : triedBefore(fn, status);
    this.#known.set(key, { uid, generation, hash, tried, failures: same ? known.failures : 0 });
    if (tried === undefined) this.#queue.add(key);
    else if (!tried.passed && !same) this.#queue.addAfter(key, backoff(0, Math.random(), FIRST_RETRY_MS));
    return tried;
  }

  /** @returns when to try again (ms) */
  async #try(key: string): Promise<number | undefined> {
    await sleep(this.#pace.take(performance.now()));
    const fn = this.#options.find(key);
    const before = this.#known.get(key);
    if (!fn || !before || before.uid !== fn.uid) return undefined; // the next look tries it
    // Nobody has looked at this edit yet. If it is taken back before, the look finds nothing new and does not ask for a trial.
    if (before.hash !== templateHash(fn)) return FIRST_RETRY_MS;
    const tried = triedBy(await this.#answer(fn));
    const known = this.#known.get(key);
    if (known?.hash !== before.hash || known.uid !== before.uid) return undefined;
    const passed = tried?.passed === true;
    // An answer that says nothing refuses nothing, and takes back nothing.
    this.#known.set(key, { ...known, tried: tried ?? known.tried ?? { passed: true }, failures: passed ? 0 : known.failures + 1 });
    this.#options.judged(key);
    return passed ? undefined : backoff(known.failures, Math.random(), FIRST_RETRY_MS, MOST_RETRY_MS);
  }

  async #answer(fn: ServedFunction): Promise<KubeError | undefined> {
    try {
      await tryPod(this.#options.client, trialPod(fn, this.#options.podDefaults));
      return undefined;
    } catch (error) {
      if (!(error instanceof KubeError)) throw error;
      if (!triedBy(error)) this.#tell(error);
      return error;
    }
  }

  #tell(error: KubeError): void {
    const now = performance.now();
    if (now - this.#loggedAt < LOG_MS) return;
    this.#loggedAt = now;
    this.#options.log(`a pod cannot be tried: ${error.message}`);
  }
}
