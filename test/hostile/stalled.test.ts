// Two thousand clients that begin and never go on: a good client opens as before, and the memory comes back when they are gone.
import { expect, it } from 'vitest';
import { HALF_OPEN, type Stalling, stall } from './stalled.ts';

const COUNT = 2000;
/** Issue 6: usual time plus 100 ms. A bound of a shared machine is ten times as wide; `npm run bench:stalled` measures. */
const MORE_MS = 10 * 100;
const MOST_EACH = 32_768;

it.each<[string, Stalling]>([['handshakes', HALF_OPEN]])(
  'half-open %s keep nobody out',
  async (_what, stalling) => {
    const { before, during, slowest, there, memory } = await stall(COUNT, stalling);
    const each = (memory.during.held - memory.before.held) / COUNT;
    console.log(
      `open: ${before.toFixed(1)} ms before, ${during.toFixed(1)} during (slowest ${slowest.toFixed(1)}), beside ${there}; ${each.toFixed(0)} bytes each`,
    );
    expect(there, 'stalled ones still there').toBeGreaterThan(COUNT * 0.9);
    expect(during).toBeLessThan(before + MORE_MS);
    expect(each).toBeLessThan(MOST_EACH);
  },
  60_000,
);
