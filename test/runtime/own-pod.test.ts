// The deletion of a pod on an API server that has trouble with it: a script of answers.
import type { RequestListener } from 'node:http';
import { expect, it, onTestFinished } from 'vitest';
import { OwnPod } from '../../src/runtime/own-pod.ts';
import { until } from '../support/ports.ts';
import { startScriptedApi } from '../support/scripted-api.ts';

/** The pod at a version. */
const at = (resourceVersion: string) => ({ metadata: { namespace: 'n', name: 'echo-slot-0', uid: 'u', resourceVersion } });

/** A pod on an API server that gives these answers, one after another; undefined: the connection is cut instead. */
async function ownPod(codes: readonly (number | undefined)[], resourceVersion = '') {
  const asked: number[] = [];
  const answer: RequestListener = (_request, response) => {
    asked.push(performance.now());
    const code = codes[asked.length - 1];
    if (code === undefined) return void response.destroy();
    const headers = code === 429 ? { 'retry-after': '1' } : {};
    response.writeHead(code, { 'content-type': 'application/json', ...headers });
    response.end(
      JSON.stringify(code === 200 ? at(resourceVersion) : { kind: 'Status', status: 'Failure', code, message: 'says the test' }),
    );
  };
  const { client, stop } = await startScriptedApi(answer);
  onTestFinished(stop);
  const lines: string[] = [];
  const log = (line: string) => void lines.push(line);
  const own = new OwnPod(at('100'), { client, log, deleted: () => {} });
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

it.each<[what: string, codes: (number | undefined)[], byOthers: string | undefined]>([
  ['before it is the deed of others', [200], 'pod_deleted'],
  ['before it, and it had to wait, is so too', [429, 200], 'pod_deleted'],
  ['may be its own deed where an answer was lost', [undefined, 200], undefined],
])('what shows %s', async (_what, codes, byOthers) => {
  const { own } = await ownPod(codes, '105');
  own.delete(false);
  own.update({ metadata: { ...at('103').metadata, deletionTimestamp: new Date() } });
  await until('it is answered', () => !own.deletePending);
  expect(own.byOthers).toBe(byOthers);
});

it.each<[what: string, codes: number[], asked: number]>([
  ['by an API server that does not know all roles yet is tried again', [403, 401, 200], 3],
  ['for good, as the patch is wrong, is not', [422], 1],
  ['again and again is taken for one for good', Array(9).fill(403), 6],
])('a patch that is refused %s', async (_what, codes, times) => {
  const { own, asked } = await ownPod(codes, '101');
  expect(await own.patch({ metadata: {} })).toBe(true);
  expect(asked).toHaveLength(times);
});
