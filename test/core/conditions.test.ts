// Conditions of a function: what is observed, and what users and programs read.
import { describe, expect, it } from 'vitest';
import type { Condition } from '../../src/api/types.ts';
import {
  ACCEPTED_REASONS,
  type AcceptedReason,
  type ConditionFacts,
  changesOf,
  conditionsOf,
  type Verdict,
  type WarmPods,
} from '../../src/core/conditions.ts';

const OLD = '2026-01-01T00:00:00Z';
const NOW = '2026-01-02T00:00:00Z';

function facts(part: Partial<ConditionFacts> = {}, reason: AcceptedReason = 'Accepted', message = 'why'): ConditionFacts {
  const verdict: Verdict = { reason, message, generation: 3 };
  return { verdict, switchedOff: false, hasProxy: true, warm: undefined, ...part };
}

/** As `Type Status Reason: message`. */
function told(given: ConditionFacts, before: readonly Condition[] = []): string[] {
  return conditionsOf(given, before, NOW).map(({ type, status, reason, message }) => `${type} ${status} ${reason}: ${message}`);
}

function condition(type: string, status: 'True' | 'False', reason: string): Condition {
  return { type, status, reason, message: '', observedGeneration: 2, lastTransitionTime: OLD };
}

describe('Accepted and Ready', () => {
  it.each(Object.keys(ACCEPTED_REASONS) as AcceptedReason[])('of a function with %s', (reason) => {
    const status = reason === 'Accepted' ? 'True' : 'False';
    const ready = reason === 'Accepted' ? 'Ready True Ready: connections are taken' : `Ready False ${reason}: why`;
    expect(told(facts({}, reason))).toEqual([`Accepted ${status} ${reason}: why`, ready]);
  });

  it.each([
    [{ switchedOff: true }, 'SwitchedOff'],
    [{ switchedOff: true, hasProxy: false }, 'SwitchedOff'],
    [{ hasProxy: false }, 'NoProxy'],
  ])('%j makes an accepted function not Ready: %s', (part, reason) => {
    expect(told(facts(part))[0]).toBe('Accepted True Accepted: why');
    expect(told(facts(part))[1]).toMatch(new RegExp(`^Ready False ${reason}: `));
    expect(told(facts(part, 'HostTaken'))[1]).toBe('Ready False HostTaken: why');
  });
});

describe('WarmPodsReady', () => {
  const warm = (part: Partial<WarmPods> = {}) => facts({ warm: { wanted: 4, ready: 3, shortForMs: 5000, ...part } });
  const last = (given: ConditionFacts, before: readonly Condition[] = []) => told(given, before)[2];

  it('is there only where warm pods are wanted', () => expect(told(facts())).toHaveLength(2));

  it('tells the counts', () => {
    expect(last(warm({ ready: 4, shortForMs: 0 }))).toBe('WarmPodsReady True Ready: 4 of 4 warm pods wait for a connection');
    expect(last(warm())).toBe('WarmPodsReady False Starting: 3 of 4 warm pods wait for a connection');
  });

  it('stays while a pod that a connection has taken is replaced, for 10 s', () => {
    const before = [condition('WarmPodsReady', 'True', 'Ready')];
    expect(last(warm({ shortForMs: 9999 }), before)).toBe('WarmPodsReady True Ready: 3 of 4 warm pods wait for a connection');
    expect(last(warm({ shortForMs: 10_000 }), before)).toBe('WarmPodsReady False Starting: 3 of 4 warm pods wait for a connection');
    expect(last(warm({ shortForMs: 1 }), [condition('WarmPodsReady', 'False', 'Starting')])).toMatch('False Starting');
  });

  it('says at once why the last warm pod failed', () => {
    const failure = { reason: 'ImagePullFailed', detail: 'ErrImagePull: no such image' };
    expect(last(warm({ failure, shortForMs: 1 }), [condition('WarmPodsReady', 'True', 'Ready')])).toBe(
      'WarmPodsReady False ImagePullFailed: 3 of 4 warm pods wait for a connection; the last one that failed: ErrImagePull: no such image',
    );
  });

  it('is false where the function is not accepted', () => {
    const given = { ...facts({}, 'PodRejected'), warm: { wanted: 1, ready: 1, shortForMs: 0 } };
    expect(last(given)).toBe('WarmPodsReady False PodRejected: no warm pods: why');
  });
});

describe('every condition', () => {
  it('has the generation that was judged, and its time changes with its status alone', () => {
    const before = [condition('Accepted', 'False', 'HostTaken'), condition('Ready', 'False', 'NoProxy')];
    expect(conditionsOf(facts({ hasProxy: false }), before, NOW)).toMatchObject([
      { type: 'Accepted', status: 'True', observedGeneration: 3, lastTransitionTime: NOW },
      { type: 'Ready', status: 'False', observedGeneration: 3, lastTransitionTime: OLD },
    ]);
  });

  it('has a message of at most 1,024 bytes, cut between two characters', () => {
    const [accepted] = conditionsOf(facts({}, 'PodRejected', 'ü'.repeat(600)), [], NOW);
    expect(accepted?.message).toBe('ü'.repeat(512));
    const [odd] = conditionsOf(facts({}, 'PodRejected', `a${'ü'.repeat(600)}`), [], NOW);
    expect(Buffer.byteLength(odd?.message ?? '')).toBe(1023);
  });
});

describe('a change that is news', () => {
  const news = (before: readonly Condition[], after: ConditionFacts) =>
    changesOf(before, conditionsOf(after, before, NOW)).map(({ type, reason, message }) => `${type} ${reason}: ${message}`);
  const fine = conditionsOf(facts(), [], OLD);

  it('is told once, refusals as warnings', () => {
    expect(news([], facts())).toEqual(['Normal Ready: connections are taken']);
    expect(news([], facts({}, 'PodRejected'))).toEqual(['Warning PodRejected: why']);
    expect(news(fine, facts({}, 'HostTaken'))).toEqual(['Warning HostTaken: why']);
    expect(news(fine, facts({ hasProxy: false }))).toEqual([expect.stringMatching(/^Warning NoProxy: /)]);
    expect(news(fine, facts({ switchedOff: true }))).toEqual([expect.stringMatching(/^Normal SwitchedOff: /)]);
  });

  it('is told when it has come right', () => {
    const refused = conditionsOf(facts({}, 'HostTaken'), [], OLD);
    expect(news(refused, facts())).toEqual(['Normal Accepted: why', 'Normal Ready: connections are taken']);
    expect(news(refused, facts({}, 'PodRejected'))).toEqual(['Warning PodRejected: why']);
  });

  it('is no other message, generation or count', () => {
    expect(news(fine, facts({}, 'Accepted', 'other words'))).toEqual([]);
    const warm = (ready: number, more = {}) => facts({ warm: { wanted: 4, ready, shortForMs: 20_000, ...more } });
    expect(news(fine, warm(2))).toEqual([]);
    expect(news(conditionsOf(warm(2), [], OLD), warm(4))).toEqual([]);
    expect(news(fine, warm(2, { failure: { reason: 'ContainerExited', detail: 'exit code 1' } }))).toEqual([]);
  });
});
