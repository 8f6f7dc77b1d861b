// Every row of the contract's parts 2 and 3 that needs no cluster, through the front door: real sockets, real processes.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { closeText, type Reason } from '../../src/core/outcome.ts';
import { until } from '../support/ports.ts';
import { type Close, ENDS, REFUSALS, type Row } from './contract.ts';
import { LOCAL_SCENARIOS, type SeenEnd, type SeenRefusal } from './local-scenarios.ts';
import { expectRefusal } from './refusal.ts';
import { type Scene, setScene } from './scene.ts';

let scene: Scene;

beforeAll(async () => {
  scene = await setScene();
});

afterAll(() => scene.stop());

const here = (rows: readonly Row[]) =>
  rows.filter(({ where }) => where === 'processes').sort((a, b) => Number(b.name.includes('30 s')) - Number(a.name.includes('30 s')));

/** What a side must have read. */
function expected(close: Close | undefined, reason: string, sent: string | undefined): string | undefined {
  if (close === 'passed') return sent;
  return typeof close === 'number' ? `${close} ${closeText(reason as Reason)}` : undefined;
}

describe.concurrent('an open connection ends', { timeout: 90_000 }, () => {
  it.each(here(ENDS))('$name', async ({ name, reason, code, close }) => {
    const seen = (await LOCAL_SCENARIOS[name]?.(scene)) as SeenEnd;
    if (close?.client !== 'none') expect(seen.client).toBe(expected(close?.client, reason, seen.sent));
    if (close?.function !== 'none') expect(seen.fn).toBe(expected(close?.function, reason, seen.sent));
    await until('its end is recorded', () => recordsOf(seen.id).length > 0);
    expect(recordsOf(seen.id).map((record) => record.reason)).toEqual([reason]);
    expect(closeText(reason as Reason)).toMatch(new RegExp(`^${code} `));
  });
});

describe.concurrent('a connection cannot open', { timeout: 90_000 }, () => {
  it.each(here(REFUSALS))('$name', async (row) => {
    const seen = (await LOCAL_SCENARIOS[row.name]?.(scene)) as SeenRefusal;
    if (row.http === 0) {
      await until('its end is recorded', () => scene.proxy.records.some(({ reason }) => reason === row.reason));
      return;
    }
    if (!seen) throw new Error('no answer');
    const id = expectRefusal(row, seen);
    await until('its end is recorded', () => recordsOf(id).length > 0);
    expect(recordsOf(id).map(({ reason, httpStatus }) => [reason, httpStatus])).toEqual([[row.reason, seen.status]]);
  });
});

function recordsOf(id: string) {
  return scene.proxy.records.filter((record) => record.id === id);
}
