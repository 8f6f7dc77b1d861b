// A queue of keys: each is worked on by one at a time, however often it is added meanwhile; a failure is tried again after a while.
import { backoff } from '../core/backoff.ts';

/** The pauses after failures of one key: the first, and the longest (ms). */
const FIRST_RETRY_MS = 500;
const MOST_RETRY_MS = 60_000;

/** What is done with keys. */
export interface WorkQueueOptions {
  /** Keys that are worked on at a time. */
  readonly concurrency: number;
  /** Works on a key. @returns after how many ms it wants to be worked on again; undefined: when it is added again */
  work(key: string): Promise<number | undefined>;
  /** A work has ended, with an error or without. */
  ended(key: string, seconds: number, error: Error | undefined): void;
}

/** It works from start() to stop(), as often as wanted; what is added while it is stopped is forgotten. */
export class WorkQueue {
  readonly #options: WorkQueueOptions;
  readonly #waiting = new Set<string>();
  readonly #running = new Map<string, Promise<void>>();
  /** Keys that were added while they were worked on. */
  readonly #again = new Set<string>();
  readonly #later = new Map<string, { readonly timer: NodeJS.Timeout; readonly at: number }>();
  readonly #failures = new Map<string, number>();
  #started = false;

  constructor(options: WorkQueueOptions) {
    this.#options = options;
  }

  /** Keys that wait to be worked on now. */
  get depth(): number {
    return this.#waiting.size + this.#again.size;
  }

  start(): void {
    this.#started = true;
  }

  /** Forgets all that waits, and resolves when nothing is worked on any more. */
  async stop(): Promise<void> {
    this.#started = false;
    for (const { timer } of this.#later.values()) clearTimeout(timer);
    for (const set of [this.#later, this.#waiting, this.#again, this.#failures]) set.clear();
    await Promise.all(this.#running.values());
  }

  /** To be worked on as soon as possible. */
  add(key: string): void {
    if (!this.#started) return;
    this.#forgetLater(key);
    if (this.#running.has(key)) this.#again.add(key);
    else this.#waiting.add(key);
    this.#next();
  }

  /** To be worked on in a while, or sooner if that was wanted already (ms). */
  addAfter(key: string, ms: number): void {
    const at = performance.now() + ms;
    if (!this.#started || (this.#later.get(key)?.at ?? Number.POSITIVE_INFINITY) <= at) return;
    this.#forgetLater(key);
    this.#later.set(key, { timer: setTimeout(() => this.add(key), ms), at });
  }

  #forgetLater(key: string): void {
    clearTimeout(this.#later.get(key)?.timer);
    this.#later.delete(key);
  }

  #next(): void {
    for (const key of this.#waiting) {
      if (this.#running.size >= this.#options.concurrency) return;
      this.#waiting.delete(key);
      this.#running.set(key, this.#run(key));
    }
  }

  async #run(key: string): Promise<void> {
    await undefined; // nothing is done within the caller's own call
    const begun = performance.now();
    let afterMs: number | undefined;
    let fault: Error | undefined;
    try {
      afterMs = await this.#options.work(key);
      this.#failures.delete(key);
    } catch (error) {
      fault = error as Error;
      const failures = this.#failures.get(key) ?? 0;
      if (this.#started) this.#failures.set(key, failures + 1);
      afterMs = backoff(failures, Math.random(), FIRST_RETRY_MS, MOST_RETRY_MS);
    }
    this.#running.delete(key);
    this.#options.ended(key, (performance.now() - begun) / 1000, fault);
    if (this.#again.delete(key)) this.#waiting.add(key);
    else if (afterMs !== undefined) this.addAfter(key, afterMs);
    this.#next();
  }
}
