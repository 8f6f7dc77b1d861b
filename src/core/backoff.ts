// How long to wait before the next try.

/**
 * Exponential backoff with full jitter in its upper half.
 * @param attempt 0 for the first retry
 * @param random a number from 0 to below 1
 * @returns ms, from half of `firstMs * 2^attempt` to all of it, at most `mostMs`
 */
export function backoff(attempt: number, random: number, firstMs = 200, mostMs = 10_000): number {
  const full = Math.min(mostMs, firstMs * 2 ** Math.min(attempt, 30));
  return full / 2 + (full / 2) * random;
}
