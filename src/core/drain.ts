// When an open connection is closed for a drain (contract part 9): not before the drain time is nearly over, and not all at once.

/** The last part of a drain over which the connections that are still open are closed (ms). */
const SPREAD_MS = 10_000;

/**
 * @param drainMs how long open connections may go on
 * @param random a number from 0 to below 1
 * @returns ms after the beginning of the drain
 */
export function drainedAfter(drainMs: number, random: number): number {
  const spread = Math.min(SPREAD_MS, drainMs);
  return drainMs - spread * (1 - random);
}
