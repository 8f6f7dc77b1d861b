// How long a watch waits before it is opened again, end after end.
import { describe, expect, it } from 'vitest';
import { Reopening, type WatchEnd } from '../../src/core/reopening.ts';

const end = (cause: WatchEnd['cause'], livedMs = 0, heard = false, retryAfterMs = 0): WatchEnd => ({ cause, heard, livedMs, retryAfterMs });
const EXPIRED = end('expired');
const REFUSED = end('error');
const LOST = end('unreachable');

describe('a watch is opened again', () => {
  it.each<[string, WatchEnd[], number[]]>([
    ['at once when its time was over', [end('ended', 240_000)], [0]],
    ['a second after it was opened when it ended sooner', [end('ended', 10), end('ended', 990), end('ended', 1000)], [990, 10, 0]],
    ['at once after a 410, and later after each that follows', [EXPIRED, EXPIRED, EXPIRED, EXPIRED], [0, 100, 200, 400]],
    ['at once after a 410 when it worked before', [EXPIRED, EXPIRED, end('ended', 240_000), EXPIRED], [0, 100, 0, 0]],
    ['at once after a 410 in the middle of it', [EXPIRED, end('expired', 90_000, true), end('expired', 90_000, true)], [0, 0, 0]],
    ['later after each 410 that comes with the first words', [end('expired', 5, true), end('expired', 5, true)], [995, 995]],
    ['later after each failure', [LOST, REFUSED, LOST, REFUSED], [100, 200, 400, 800]],
    ['after 10 s at most', [...Array(9).fill(LOST)], [100, 200, 400, 800, 1600, 3200, 5000, 5000, 5000]],
    ['soon when somebody cuts what is open for long', Array(4).fill(end('unreachable', 60_000)), [100, 100, 100, 100]],
    ['soon when it told something before it was cut', Array(3).fill(end('unreachable', 5000, true)), [100, 100, 100]],
    ['not in a storm when it is cut after its first words', Array(3).fill(end('unreachable', 10, true)), [990, 990, 990]],
    ['as late as the server asks', [end('error', 0, false, 7000), end('expired', 0, false, 3000)], [7000, 3000]],
  ])('%s', (_when, ends, waits) => {
    const reopening = new Reopening();
    expect(ends.map((one) => reopening.waitMs(one, 0))).toEqual(waits);
  });

  it('at another moment by each', () => {
    expect(new Reopening().waitMs(end('ended', 0), 0.8)).toBe(1200);
    expect(new Reopening().waitMs(LOST, 0.5)).toBe(150);
  });
});
