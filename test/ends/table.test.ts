// The table of the code is the contract's, row by row, and every row is tried somewhere.
import { describe, expect, it } from 'vitest';
import { OUTCOMES, type Outcome } from '../../src/core/outcome.ts';
import { ENDS, REFUSALS, ROWS } from './contract.ts';
import { LOCAL_SCENARIOS } from './local-scenarios.ts';
import { NODE_SCENARIOS } from './node-scenarios.ts';

const TABLE: Readonly<Record<string, Outcome>> = OUTCOMES;

describe('the table of the code', () => {
  it('has the reasons of the contract and no other', () => {
    expect(Object.keys(TABLE).sort()).toEqual([...new Set(ROWS.map(({ reason }) => reason))].sort());
  });

  it.each(ENDS)('ends an open connection as the contract says: $name', ({ reason, code, close }) => {
    expect(TABLE[reason]).toMatchObject({ code, close });
  });

  it.each(REFUSALS)('answers as the contract says: $name', ({ reason, code, http, retryAfter }) => {
    const row = TABLE[reason];
    expect(row?.code).toBe(code);
    expect(row?.refusal?.retryAfter).toBe(retryAfter);
    // One reason has a status by what was wrong, and the function's own answer has its own.
    if (reason !== 'bad_handshake') expect(row?.refusal?.status).toBe(http === 'own' ? 0 : http);
  });

  it('has no close frames or answers beyond the contract', () => {
    const closing = Object.keys(TABLE).filter((reason) => TABLE[reason]?.close);
    const refusing = Object.keys(TABLE).filter((reason) => TABLE[reason]?.refusal);
    expect(closing.sort()).toEqual([...new Set(ENDS.map(({ reason }) => reason))].sort());
    // An operator may end a handshake that is held; the contract has no row for that, and 503 says it best.
    const named = [...REFUSALS.map(({ reason }) => reason), 'closed_by_operator'];
    expect(refusing.sort()).toEqual([...new Set(named)].sort());
  });
});

describe('each row', () => {
  const named = (where: string) => ROWS.filter((row) => row.where === where).map(({ name }) => name);

  it('has one name', () => {
    expect(new Set(ROWS.map(({ name }) => name)).size).toBe(ROWS.length);
  });

  it('is tried where it says', () => {
    expect(Object.keys(LOCAL_SCENARIOS).sort()).toEqual(named('processes').sort());
    expect(Object.keys(NODE_SCENARIOS).sort()).toEqual(named('node').sort());
  });

  it('is tried: none is left open', () => {
    expect(named('open')).toEqual([]);
  });
});
