// When a watch that ended is opened again: at once where that is the ordinary course of things, later and later where it does not help.
import { backoff } from './backoff.ts';

/** No watch that was answered is opened again sooner than this after it was opened (ms). */
const SHORT_MS = 1000;

/** How a watch ended. */
export interface WatchEnd {
  /** As the metrics have it. */
  readonly cause: 'ended' | 'expired' | 'error' | 'unreachable';
  /** It told something. */
  readonly heard: boolean;
  /** How long it was open (ms); 0: it was never answered. */
  readonly livedMs: number;
  /** What the server asked for (ms). */
  readonly retryAfterMs: number;
}

/** The ends of one watch, one after another. */
export class Reopening {
  /** Ends of watches that did not work, since the last one that did. */
  #failures = 0;
  /** Versions that were too old as soon as they were listed, one after another. */
  #expired = 0;

  /**
   * How long to wait before it is opened again (ms).
   * @param random a number from 0 to below 1
   */
  waitMs({ cause, heard, livedMs, retryAfterMs }: WatchEnd, random: number): number {
    const answered = heard || cause === 'ended';
    const long = livedMs > SHORT_MS;
    // A load balancer that cuts what is open for some time is no failing server.
    if (answered || long) this.#failures = 0;
    if (cause === 'ended' || (heard && long)) this.#expired = 0;
    const paceMs = answered ? Math.max(0, SHORT_MS - livedMs) * (1 + random / 4) : 0;
    return Math.max(retryAfterMs, paceMs, this.#backoff(cause, random));
  }

  #backoff(cause: WatchEnd['cause'], random: number): number {
    if (cause === 'ended') return 0;
    if (cause !== 'expired') return backoff(this.#failures++, random);
    const again = this.#expired++;
    return again === 0 ? 0 : backoff(again - 1, random);
  }
}
