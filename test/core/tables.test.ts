// The small tables of the core: lifecycle, outcomes, closing, exit codes, admission, slots, backoff.
import { describe, expect, it } from 'vitest';
import { admit, notAccepted } from '../../src/core/admission.ts';
import { backoff } from '../../src/core/backoff.ts';
import { answerCode, backendDone, closingStep, freshSide, type SideState } from '../../src/core/closing.ts';
import { reasonOfExit } from '../../src/core/exit.ts';
import { EVENTS, next, STATES } from '../../src/core/lifecycle.ts';
import { closeText, OUTCOMES, type Outcome, outcome, type Reason, reasonOfAnswer, reasonOfClose, status } from '../../src/core/outcome.ts';
import { freeSlot, slotName, slotOf } from '../../src/core/slots.ts';
import { served } from '../support/proxy.ts';

describe('lifecycle', () => {
  const expected: Record<string, string> = {
    'Provisioning started': 'Dialing',
    'Provisioning ended': 'Closing',
    'Dialing opened': 'Open',
    'Dialing ended': 'Closing',
    'Open ended': 'Closing',
    'Closing finished': 'Closed',
  };
  it.each(STATES.flatMap((state) => EVENTS.map((event) => [state, event] as const)))('%s after %s', (state, event) => {
    expect(next(state, event)).toBe(expected[`${state} ${event}`] ?? state);
  });
});

describe('outcome', () => {
  const rows = Object.entries(OUTCOMES) as [Reason, Outcome][];
  it.each(rows)('%s says what happens and stays within the promises', (reason, row) => {
    expect(row.refusal ?? row.close, 'neither refused nor closed').toBeDefined();
    expect(closeText(reason)).toMatch(/^[0-9]{3} [\x20-\x7e]{1,119}$/);
    for (const action of [row.close?.client, row.close?.function]) {
      if (typeof action === 'number') expect([1001, 1002, 1008, 1009, 1011, 1012, 1013]).toContain(action);
    }
    const { refusal } = row;
    if (!refusal) return;
    const draining = reason === 'draining' || reason === 'drained';
    const expected = [429, 432].includes(row.code) || draining ? 1 : refusal.status === 503 ? 5 : undefined;
    expect(refusal.retryAfter).toBe(expected);
  });

  it('calls 200 a success and nothing else', () => {
    for (const [reason] of rows) expect(status(reason)).toBe(outcome(reason).code === 200 ? 'success' : 'failure');
  });

  it.each([
    ['client', 1000, 'normal_closure'],
    ['function', 1000, 'normal_closure'],
    ['client', 1010, 'client_mandatory_extension'],
    ['function', 1010, 'function_close_code'],
    ['function', 1011, 'function_internal_error'],
    ['client', 1011, 'client_close_code'],
    ['client', 1001, 'client_going_away'],
    ['function', 1001, 'function_close_code'],
    ['client', 1005, 'client_no_status'],
    ['function', 1005, 'function_no_status'],
    ['client', 999, 'client_close_code'],
    ['function', 1006, 'function_close_code'],
  ] as const)('a close of the %s with %d is %s', (from, code, reason) => expect(reasonOfClose(from, code)).toBe(reason));

  it.each([
    [200, 'function_refused'],
    [403, 'function_refused'],
    [499, 'function_refused'],
    [500, 'function_refused_5xx'],
  ] as const)('an answer %d is %s', (code, reason) => expect(reasonOfAnswer(code)).toBe(reason));
});

describe('closing', () => {
  const side = (state: Partial<SideState> = {}): SideState => ({ ...freshSide(), ...state });
  it.each<[string, SideState, SideState, boolean, string]>([
    ['nothing was said', side(), side(), false, 'none'],
    ['it said close and was not told: the other may still answer', side({ said: 1000 }), side({ told: true }), false, 'none'],
    ['the other side is gone', side({ said: 1000 }), side({ told: true, gone: true }), false, 'answer'],
    ['the other side is silent and has said nothing', side({ said: 1000 }), side({ told: true, silent: true }), false, 'answer'],
    ['time is up', side({ said: 1000 }), side({ told: true }), true, 'answer'],
    ['both were exchanged', side({ said: 1000, told: true }), side(), false, 'end'],
    ['... and it was ended', side({ said: 1000, told: true, ended: true }), side(), false, 'none'],
    ['... and its FIN has come', side({ said: 1000, told: true, silent: true }), side(), false, 'destroy'],
    ['it dropped', side({ silent: true }), side(), false, 'destroy'],
    ['it dropped after it was told', side({ silent: true, told: true }), side(), false, 'destroy'],
    ['it was told and says nothing', side({ told: true }), side(), false, 'none'],
    ['... until time is up', side({ told: true }), side(), true, 'destroy'],
    ['it said close and then FIN: the answer still goes out', side({ said: 1000, silent: true }), side({ told: true }), false, 'none'],
    ['it is gone', side({ gone: true, silent: true }), side(), true, 'none'],
  ])('%s', (_name, own, other, timeIsUp, step) => expect(closingStep(own, other, timeIsUp)).toBe(step));

  it.each<[SideState, boolean, boolean]>([
    [side(), false, false],
    [side(), true, true],
    [side({ told: true }), false, false],
    [side({ said: 1000 }), false, false],
    [side({ said: 1000, told: true }), false, true],
    [side({ silent: true }), false, true],
    [side({ said: 1000, silent: true }), false, false],
    [side({ gone: true }), false, true],
  ])('the backend %j, time up %s: done %s', (fn, timeIsUp, done) => expect(backendDone(fn, timeIsUp)).toBe(done));
});

describe('the platform answers a close', () => {
  it.each([
    [1000, 1000],
    [1001, 1001],
    [1011, 1011],
    [1014, 1014],
    [3000, 3000],
    [4999, 4999],
    [1005, 1005],
    [768, 1002], // a close frame of one byte
    [999, 1002],
    [1004, 1002],
    [1006, 1002],
    [1015, 1002],
    [2999, 1002],
    [5000, 1002],
    [65_535, 1002],
  ])('of %d with %d', (said, code) => expect(answerCode(said)).toBe(code));
});

describe('exit, admission, slots, backoff', () => {
  it.each([
    [0, 'function_dropped'],
    [143, 'function_dropped'],
    [7, 'function_exited'],
    [137, 'function_exited'],
    [139, 'function_exited'],
  ])('exit code %d is %s', (code, reason) => expect(reasonOfExit(code)).toBe(reason));

  it('admits up to maxConnections, and nobody to what is not accepted', () => {
    const facts = {
      draining: false,
      pending: { total: 0, own: 0, functions: 1 },
      maxPending: 10,
      full: () => false,
      takeStart: () => true,
    };
    expect(admit({ ...facts, fn: served('f', { maxConnections: 2 }), connections: 1 })).toBeUndefined();
    expect(admit({ ...facts, fn: served('f', { maxConnections: 2 }), connections: 2 })?.reason).toBe('max_connections');
    expect(admit({ ...facts, fn: served('f', { maxConnections: 0 }), connections: 0 })?.reason).toBe('max_connections');
    expect(notAccepted(served('f', {}, { problem: 'spec.x: bad' }))?.reason).toBe('function_not_accepted');
    expect(notAccepted(served('f'))).toBeUndefined();
  });

  it('judges in the order draining, pending, ceiling, start rate, and takes a token only if all else is well', () => {
    let taken = 0;
    const all = {
      fn: served('f', { maxConnections: 1 }),
      draining: true,
      pending: { total: 10, own: 1, functions: 1 },
      maxPending: 10,
      connections: 1,
      full: () => false,
      takeStart: () => {
        taken++;
        return false;
      },
    };
    const steady = { ...all, draining: false };
    const calm = { ...steady, pending: { total: 0, own: 0, functions: 1 } };
    expect([all, steady, calm].map((facts) => admit(facts)?.reason)).toEqual(['draining', 'overloaded', 'max_connections']);
    expect(admit({ ...calm, connections: 0, full: () => true })?.reason, 'held by the pods of other proxies').toBe('max_connections');
    expect(taken).toBe(0);
    expect(admit({ ...calm, connections: 0 })?.reason).toBe('start_rate_exceeded');
  });

  it.each([
    [3, [], 0],
    [3, [0, 2], 1],
    [3, [0, 1, 2], undefined],
    [2, [5, 7], undefined],
    [3, [5], 0],
    [0, [], undefined],
  ] as const)('of %d slots with %j held, %s is next', (max, taken, slot) => expect(freeSlot(max, new Set(taken))).toBe(slot));

  it('reads a slot from a name it made, and from no other', () => {
    expect(slotOf(slotName('echo', 12))).toEqual({ functionName: 'echo', slot: 12 });
    expect(slotOf(slotName('a-slot-1', 0))).toEqual({ functionName: 'a-slot-1', slot: 0 });
    for (const name of ['echo-slot-', 'echo-slot-01', 'echo-slot-x', '-slot-1', 'echo']) expect(slotOf(name)).toBeUndefined();
  });

  it('waits longer after each failure, up to a bound', () => {
    expect([0, 1, 2, 20].map((attempt) => backoff(attempt, 0))).toEqual([100, 200, 400, 5000]);
    expect(backoff(1, 0.999)).toBeLessThan(400);
  });
});
