// What a proxy shares between its functions: held handshakes and starts.
import { describe, expect, it } from 'vitest';
import { mayHave, StartRate, type Use } from '../../src/core/fair.ts';

describe('one more of a hundred', () => {
  it.each<[string, Use, boolean]>([
    ['the first', { total: 0, own: 0, functions: 1 }, true],
    ['the last, alone', { total: 99, own: 99, functions: 1 }, true],
    ['beyond the last', { total: 100, own: 0, functions: 1 }, false],
    ['while half is free, whoever asks', { total: 49, own: 49, functions: 10 }, true],
    ['half is gone and the function has its share', { total: 50, own: 50, functions: 2 }, false],
    ['half is gone and the function has less than its share', { total: 60, own: 9, functions: 10 }, true],
    ['a function that comes last finds room', { total: 99, own: 0, functions: 50 }, true],
  ])('%s', (_name, use, may) => {
    expect(mayHave(use, 100)).toBe(may);
  });
});

describe('the start rate', () => {
  /** How many of `each` functions' requests, `everyMs` apart, get a token in `seconds`. */
  function run(rate: StartRate, seconds: number, askers: Readonly<Record<string, number>>): Record<string, number> {
    const got: Record<string, number> = Object.fromEntries(Object.keys(askers).map((key) => [key, 0]));
    for (let now = 0; now < seconds * 1000; now++) {
      for (const [key, everyMs] of Object.entries(askers)) {
        if (now % everyMs === 0 && rate.take(key, now)) got[key] = (got[key] ?? 0) + 1;
      }
    }
    return got;
  }

  it('gives a burst of twice the rate at once, then the rate', () => {
    const rate = new StartRate(50, 0);
    const first = Array.from({ length: 150 }, () => rate.take('a', 0)).filter(Boolean).length;
    expect(first).toBe(100);
    expect(Array.from({ length: 100 }, () => rate.take('a', 1000)).filter(Boolean).length).toBe(50);
  });

  it('takes nothing for a start that was none', () => {
    const rate = new StartRate(50, 0);
    const asked = Array.from({ length: 300 }, () => {
      const taken = rate.take('a', 0);
      if (taken) rate.giveBack('a');
      return taken;
    });
    expect(asked).not.toContain(false);
    rate.giveBack('never asked');
    expect(Array.from({ length: 150 }, () => rate.take('a', 0)).filter(Boolean).length, 'never more than the burst').toBe(100);
  });

  it('lets a function that is alone have all of it', () => {
    const { a = 0 } = run(new StartRate(50, 0), 10, { a: 1 });
    expect(a).toBeGreaterThanOrEqual(590);
    expect(a).toBeLessThanOrEqual(600);
  });

  it('keeps the share of a quiet function from one that floods', () => {
    const { flood = 0, quiet = 0 } = run(new StartRate(50, 0), 10, { flood: 1, quiet: 100 });
    expect(quiet).toBe(100);
    expect(flood + quiet).toBeGreaterThan(500);
  });

  it('shares evenly between functions that all flood', () => {
    const got = Object.values(run(new StartRate(50, 0), 20, { a: 1, b: 1, c: 1, d: 1 }));
    expect(Math.min(...got) / Math.max(...got)).toBeGreaterThan(0.8);
  });

  it('forgets who has not asked for a while', () => {
    const rate = new StartRate(50, 0);
    for (let i = 0; i < 1000; i++) rate.take(`once-${i}`, 0);
    expect(Array.from({ length: 150 }, () => rate.take('a', 10_000)).filter(Boolean).length).toBe(100);
  });
});
