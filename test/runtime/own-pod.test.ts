// The deletion of a pod on an API server that has trouble with it: a script of answers.
import type { RequestListener } from 'node:http';
import { expect, it, onTestFinished } from 'vitest';
import { OwnPod } from '../../src/runtime/own-pod.ts';
import { startScriptedApi } from '../support/scripted-api.ts';

/** A pod on an API server that gives these answers to its deletion, one after another; undefined: the connection is cut instead. */
async function ownPod(codes: readonly (number | undefined)[]) {
  const asked: number[] = [];
  const answer: RequestListener = (_request, response) => {
    asked.push(performance.now());
    const code = codes[asked.length - 1];
    if (code === undefined) return void response.destroy();
    const headers = code === 429 ? { 'retry-after': '1' } : {};
    response.writeHead(code, { 'content-type': 'application/json', ...headers });
    response.end(JSON.stringify({ kind: 'Status', status: 'Failure', code, message: 'says the test' }));
  };
  const { client, stop } = await startScriptedApi(answer);
  onTestFinished(stop);
  const lines: string[] = [];
  const log = (line: string) => void lines.push(line);
  const own = new OwnPod({ metadata: { namespace: 'n', name: 'echo-slot-0', uid: 'u' } }, { client, log, deleted: () => {} });
  return { own, asked, lines };
}

it('is tried again when the API server says, and told of once', async () => {
  const { own, asked, lines } = await ownPod([503, 429, 429, 404]);
  own.delete(false);
  expect(own.deletePending).toBe(true);
  await own.vanished;
  expect(own.deletePending).toBe(false);
  expect(asked).toHaveLength(4);
  const [, first = 0, , last = 0] = asked;
  expect(last - first, 'Retry-After: 1, twice').toBeGreaterThan(1950);
  expect(lines).toEqual(['pod echo-slot-0 cannot be deleted yet: says the test']);
});

it('that finds no pod was forestalled by somebody', async () => {
  const { own } = await ownPod([404]);
  own.delete(false);
  await own.vanished;
  expect(own.byOthers).toBe('pod_deleted');
});

it('that finds no pod after an answer was lost may have been forestalled by itself', async () => {
  const { own, asked } = await ownPod([undefined, 404]);
  own.delete(false);
  await own.vanished;
  expect(asked).toHaveLength(2);
  expect(own.byOthers).toBeUndefined();
});
