import { describe, expect, it } from 'vitest';
import { ELECTION_TIMES, leadsFor, newerLease, type SeenLease, takeIn } from '../../src/core/election.ts';

const seen = (holder: string, version = '7', seenAt = 1000): SeenLease => ({ holder, version, seenAt });

describe('a stand-by', () => {
  it.each<[number, string, SeenLease | undefined, number]>([
    [0, 'there is no Lease', undefined, 1000],
    [0, 'it was released', seen(''), 1001],
    [0, 'it has our name: the answer to our taking it was lost', seen('me'), 1001],
    [15_000, 'another has it, seen just now: a clock in the Lease says nothing', seen('other'), 1000],
    [1, 'almost', seen('other'), 15_999],
    [0, 'it did not change for 15 s', seen('other'), 16_000],
    [0, 'nor for a day', seen('other'), 86_400_000],
  ])('may take the Lease in %i ms: %s', (waitMs, _why, lease, now) => {
    expect(takeIn(lease, 'me', now, ELECTION_TIMES)).toBe(waitMs);
  });
});

describe('of two states of the Lease', () => {
  it.each<[string, SeenLease | undefined, SeenLease, SeenLease]>([
    ['the first counts', undefined, seen('a'), seen('a')],
    ['the newer counts', seen('a', '9'), seen('b', '10', 2000), seen('b', '10', 2000)],
    ['the same is as old as when it was first seen', seen('a', '9'), seen('a', '9', 2000), seen('a', '9')],
    ['an older one of a watch that lags behind counts for nothing', seen('b', '10'), seen('a', '9', 2000), seen('b', '10')],
  ])('%s', (_what, before, now, expected) => {
    expect(newerLease(before, now)).toEqual(expected);
  });
});

describe('a leader', () => {
  it.each([
    [10_000, 5000],
    [1, 14_999],
    [0, 15_000],
    [0, 60_000], // it was stopped for a minute
  ])('may go on for %i ms at %i, when it last asked at 5000', (leftMs, now) => {
    expect(leadsFor(5000, now, ELECTION_TIMES)).toBe(leftMs);
  });

  it('that is cut off stops before another may lead, though the other saw its last renewal late or at once', () => {
    const askedAt = 5000;
    const stopsAt = askedAt + leadsFor(askedAt, askedAt, ELECTION_TIMES);
    for (const seenAt of [askedAt, askedAt + 9000]) {
      expect(seenAt + takeIn(seen('other', '7', seenAt), 'me', seenAt, ELECTION_TIMES)).toBeGreaterThanOrEqual(stopsAt + 5000);
    }
  });
});
