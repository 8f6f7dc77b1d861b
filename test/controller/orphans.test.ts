// How orphans are deleted where deletions hang, and where this process leads no more. The API server is scripted; the rest is in
// orphans.api.test.ts.
import type { ServerResponse } from 'node:http';
import type { V1Pod } from '@kubernetes/client-node';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { Orphans } from '../../src/controller/orphans.ts';
import { podFor } from '../../src/core/pod.ts';
import { until } from '../support/ports.ts';
import { served } from '../support/proxy.ts';
import { type ScriptedApi, startScriptedApi } from '../support/scripted-api.ts';

let api: ScriptedApi;
let orphans: Orphans;
let over: AbortController;
const pods = new Map<string, V1Pod>();
const held: ServerResponse[] = [];
const asked: string[] = [];
/** How many deletions get no answer. */
let holding = 0;
let dead = true;
let deleted = 0;

beforeEach(async () => {
  api = await startScriptedApi((request, response) => {
    const name = request.url?.split('/').at(-1) ?? '';
    asked.push(name);
    if (asked.length <= holding) return void held.push(response);
    pods.delete(name);
    response.end('{}');
  });
  deleted = 0;
  const observer = { orphanDeleted: () => void deleted++ };
  orphans = new Orphans({ client: api.client, pods, proxies: { isDead: () => dead, leases: new Map() }, observer, log: () => {} });
  over = new AbortController();
  dead = true;
  for (let slot = 0; slot < 30; slot++) {
    const pod = podFor(served('echo'), { slot, proxyId: 'aaaaaaaaaa', requestId: undefined, defaults: true });
    pods.set(pod.metadata?.name ?? '', { ...pod, metadata: { ...pod.metadata, uid: `uid-${slot}` } });
  }
});

afterEach(async () => {
  over.abort();
  await api.stop();
  for (const list of [held, asked]) list.length = 0;
  pods.clear();
});

it('all go by one look, a few at a time', async () => {
  holding = 8;
  orphans.check(over.signal);
  await until('as many as may are under way', () => held.length === 8);
  orphans.check(over.signal);
  expect(asked).toHaveLength(8);
  for (const response of held) response.end('{}');
  await until('the others are gone', () => asked.length === 30);
  expect(new Set(asked).size).toBe(30);
});

it.each<[string, () => void]>([
  ['it leads no more', () => over.abort()],
  [
    'the proxy may live after all',
    () => {
      dead = false;
    },
  ],
])('none follows when %s', async (_why, happens) => {
  holding = 8;
  orphans.check(over.signal);
  await until('some are under way', () => held.length === 8);
  happens();
  for (const response of held) response.end('{}');
  await until('their answers are read', () => deleted === 8);
  await api.client.call('GET', '/last');
  expect(asked.slice(8)).toEqual(['last']);
});

it('deletions that hang hold the others up for seconds only', async () => {
  holding = 8;
  orphans.check(over.signal);
  await until('the others are gone', () => pods.size === 8, 15_000);
  expect(held).toHaveLength(8);
});
