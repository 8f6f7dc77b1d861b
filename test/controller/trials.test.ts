// Retries that come before the controller has looked at an edit. The API server is scripted; the rest is in trials.api.test.ts.
import { expect, it } from 'vitest';
import { Trials } from '../../src/controller/trials.ts';
import type { ServedFunction } from '../../src/core/served.ts';
import { until } from '../support/ports.ts';
import { served } from '../support/proxy.ts';
import { startScriptedApi } from '../support/scripted-api.ts';

it('a function that was refused is tried again, whatever was edited before its retry', async ({ onTestFinished }) => {
  let tries = 0;
  const api = await startScriptedApi((_request, response) => {
    const refused = ++tries <= 2;
    response.writeHead(refused ? 422 : 201).end(JSON.stringify({ reason: refused ? 'Invalid' : '', message: 'no' }));
  });
  const newest = new Map<string, ServedFunction>();
  const ended: string[] = [];
  const trials = new Trials({
    client: api.client,
    podDefaults: true,
    find: (key) => newest.get(key),
    judged: () => {},
    ended: (key) => void ended.push(key),
    log: () => {},
  });
  onTestFinished(async () => {
    await trials.stop();
    await api.stop();
  });
  trials.start();
  const put = (name: string, generation: number, part = {}) => {
    const fn = served(name, part, { uid: name, generation });
    newest.set(name, fn);
    return fn;
  };
  for (const name of ['other', 'back']) trials.look(name, put(name, 1), undefined);
  await until('both were refused', () => ended.length === 2);
  put('other', 2, { maxConnections: 7 });
  put('back', 2, { port: 9001 });
  await until('their retries came', () => ended.length === 4, 15_000);
  const looks = [trials.look('other', put('other', 2, { maxConnections: 7 }), undefined), trials.look('back', put('back', 3), undefined)];
  expect(looks).toEqual([{ passed: true }, { passed: false, message: 'no' }]);
  await until('what was taken back is tried again', () => trials.look('back', put('back', 3), undefined)?.passed === true, 15_000);
});
