// Warm pods: whose they are, and what is done about them.
import { describe, expect, it } from 'vitest';
import type { Reason } from '../../src/core/outcome.ts';
import {
  afterCreate,
  afterFailure,
  afterReady,
  type Failures,
  NO_FAILURES,
  type PooledPod,
  planWarm,
  shareOf,
  type WarmFacts,
} from '../../src/core/share.ts';
import { served } from '../support/proxy.ts';

describe('the share of a replica', () => {
  it.each<[warm: number, most: number, sharing: string[], shares: number[]]>([
    [0, 100, ['a', 'b'], [0, 0]],
    [4, 100, ['a', 'b'], [2, 2]],
    [5, 100, ['a', 'b'], [3, 2]],
    [5, 100, ['b', 'a'], [2, 3]],
    [10, 10, ['a', 'b', 'c'], [4, 3, 3]],
    [1, 100, ['a', 'b', 'c'], [1, 0, 0]],
    [7, 3, ['a'], [3]],
    [7, 0, ['a'], [0]],
    [3, 100, [], []],
  ])('%d warm pods, at most %d, over %j: %j', (warmPods, maxConnections, sharing, shares) => {
    const fn = served('echo', { warmPods, maxConnections });
    expect(sharing.map((id) => shareOf(fn, sharing, id))).toEqual(shares);
  });

  it('of one that does not share is none, and of a function that is not accepted too', () => {
    const part = { warmPods: 5 };
    expect(shareOf(served('echo', part), ['a', 'b'], 'c')).toBe(0);
    expect(shareOf(served('echo', part, { problem: 'spec: no' }), ['a'], 'a')).toBe(0);
  });

  it('always adds up to all warm pods', () => {
    for (let replicas = 1; replicas < 12; replicas++) {
      const sharing = Array.from({ length: replicas }, (_, i) => `proxy-${i}`);
      for (let warmPods = 0; warmPods < 40; warmPods++) {
        const fn = served('echo', { warmPods });
        expect(sharing.reduce((sum, id) => sum + shareOf(fn, sharing, id), 0)).toBe(warmPods);
      }
    }
  });
});

/** `r` ready, `s` starts; upper case: of an old template; `w`, `v`: ready and starting, but wanted by another replica. */
function pool(letters: string): (PooledPod & { readonly letter: string })[] {
  return [...letters].map((letter) => ({
    letter,
    template: letter === letter.toUpperCase() ? 'old' : 'new',
    ready: 'rRw'.includes(letter),
    wanted: 'wv'.includes(letter),
  }));
}

type Facts = Partial<Omit<WarmFacts<PooledPod>, 'pods' | 'template'>>;

describe('the plan', () => {
  it.each<[name: string, pods: string, facts: Facts, create: number, remove: string]>([
    ['nothing is there', '', { share: 3 }, 3, ''],
    ['all are there', 'rrs', { share: 3 }, 0, ''],
    ['one is missing', 'rr', { share: 3 }, 1, ''],
    ['some are being created', 'r', { share: 4, creating: 2 }, 1, ''],
    ['the share is smaller: what starts goes first', 'rsrs', { share: 2 }, 0, 'ss'],
    ['the share is smaller: then what came last', 'rrr', { share: 2 }, 0, 'r'],
    ['there is no share', 'rs', { share: 0 }, 0, 'rs'],
    ['no share and some are being created', '', { share: 0, creating: 2 }, 0, ''],
    ['the template has changed: one more than the share, those that leave included', 'RRS', { share: 3 }, 1, 'RRS'],
    ['old ones leave, one new one starts', 's', { share: 3, leaving: 3 }, 0, ''],
    ['one of the old ones has gone', 's', { share: 3, leaving: 2 }, 1, ''],
    ['all old ones have gone', 'sr', { share: 3 }, 1, ''],
    ['a burst has taken all: the places fill as the labels follow', '', { share: 100, leaving: 100 }, 1, ''],
    ['half of the labels have followed', '', { share: 100, leaving: 50 }, 51, ''],
    ['with a share of one: the new one starts beside the old one', 'R', { share: 1 }, 1, 'R'],
    ['no name is free', 'r', { share: 3, free: 0 }, 0, ''],
    ['connections wait for names', 'r', { share: 3, free: -2 }, 0, ''],
    ['one name is free', 'r', { share: 3, free: 1 }, 1, ''],
    ['another replica asks for one', 'rwr', { share: 3 }, 0, 'w'],
    ['its place stays empty for a while', 'rr', { share: 3, heldBack: 1 }, 0, ''],
    ['another replica asks for one that starts', 'rv', { share: 3 }, 1, 'v'],
    ['the place is filled again later', 'rr', { share: 3 }, 1, ''],
    ['the last one failed and the next try is not due', 'r', { share: 3, failing: true, blocked: true }, 0, ''],
    ['the next try is due: one alone', '', { share: 3, failing: true }, 1, ''],
    ['the next try is under way', 's', { share: 3, failing: true }, 0, ''],
    ['the next try is being created', '', { share: 3, failing: true, creating: 1 }, 0, ''],
    ['old ones go while nothing may be created', 'RR', { share: 2, failing: true, blocked: true }, 0, 'RR'],
  ])('%s', (_name, letters, part, create, remove) => {
    const rest = { share: 0, creating: 0, leaving: 0, free: 100, heldBack: 0, failing: false, blocked: false, ...part };
    const plan = planWarm({ template: 'new', pods: pool(letters), ...rest });
    expect([plan.create, plan.remove.map(({ letter }) => letter).join('')]).toEqual([create, remove]);
  });

  it('never passes the share by more than one, whatever is there', () => {
    for (let share = 0; share < 5; share++) {
      for (const letters of ['', 'r', 'R', 'rs', 'RRs', 'Rrsw', 'RRRRR']) {
        for (let leaving = 0; leaving < 4; leaving++) {
          const facts = { template: 'new', share, leaving, creating: 1, free: 9, heldBack: 0, failing: false, blocked: false };
          const { create } = planWarm({ ...facts, pods: pool(letters) });
          if (create > 0) expect(letters.length + leaving + 1 + create).toBeLessThanOrEqual(share + 1);
        }
      }
    }
  });
});

describe('after failures', () => {
  const fail = (before: Failures, begunAt: number, now: number, reason: Reason = 'port_timeout') =>
    afterFailure(before, reason, { begunAt, now, random: 0.999999 });

  it('the next try comes later and later, up to five minutes', () => {
    let failures = NO_FAILURES;
    let now = 0;
    const waits = Array.from({ length: 12 }, () => {
      failures = fail(failures, now, now);
      const wait = failures.blockedUntil - now;
      now = failures.blockedUntil;
      return Math.round(wait / 1000);
    });
    expect(waits).toEqual([1, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300, 300]);
  });

  it('ten that fail together count as one', () => {
    let failures = NO_FAILURES;
    for (let i = 0; i < 10; i++) failures = fail(failures, 0, 100 + i);
    expect(failures).toMatchObject({ count: 1, failing: true });
    expect(fail(failures, 500, 10_000)).toBe(failures); // it began before the wait was over
  });

  it('an API server that is away is tried again within ten seconds', () => {
    let failures = NO_FAILURES;
    for (let i = 0; i < 20; i++) failures = fail(failures, i * 1e6, i * 1e6, 'api_unavailable');
    expect(failures.blockedUntil - 19e6).toBeLessThanOrEqual(10_000);
    expect(afterCreate(failures)).toBe(NO_FAILURES);
  });

  it('a create that succeeds proves nothing of pods that do not become ready', () => {
    const failures = fail(NO_FAILURES, 0, 0);
    expect(afterCreate(failures)).toBe(failures);
    expect(afterCreate(fail(failures, 5000, 5000, 'pod_rejected'))).toBe(NO_FAILURES);
  });

  it('one that becomes ready lets all others be created at once, but the next failure waits longer than the first', () => {
    const failed = fail(fail(NO_FAILURES, 0, 0), 5000, 5000);
    const ready = afterReady(failed);
    expect(ready).toMatchObject({ failing: false, blockedUntil: 0 });
    expect(fail(ready, 10_000, 10_000).blockedUntil - 10_000).toBeGreaterThan(3000);
  });
});
