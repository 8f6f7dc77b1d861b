// The answers of an API server that cannot be had from a real one at will: 410, 429 with Retry-After, 500, garbage. The server is a
// script of answers; everything else is tested on a real one (watch.api.test.ts).
import type { RequestListener } from 'node:http';
import { afterEach, describe, expect, it } from 'vitest';
import type { KubeError } from '../../src/kube/client.ts';
import { Watch, type Watched } from '../../src/kube/watch.ts';
import { until } from '../support/ports.ts';
import { type ScriptedApi, startScriptedApi } from '../support/scripted-api.ts';

let api: ScriptedApi;
let watch: Watch<Watched>;
const told: string[] = [];
const faults: KubeError[] = [];
const requests: URL[] = [];

afterEach(async () => {
  watch.stop();
  await api.stop();
  for (const list of [told, faults, requests]) list.length = 0;
});

const item = (name: string, version: string) => ({ metadata: { name, namespace: 'n', uid: `uid-${name}`, resourceVersion: version } });
const list = (version: string, ...names: string[]) =>
  JSON.stringify({ metadata: { resourceVersion: version }, items: names.map((name) => item(name, version)) });
const event = (type: string, object: object) => `${JSON.stringify({ type, object })}\n`;

/** Starts a watch on a server that gives these answers to lists and to watches, each in its turn; the last one stays. */
async function scripted(lists: string[], watches: RequestListener[], silentMs?: number): Promise<void> {
  const next = <T>(answers: T[]): T => (answers.length > 1 ? (answers.shift() as T) : (answers[0] as T));
  api = await startScriptedApi((request, response) => {
    const url = new URL(request.url ?? '', 'http://x');
    requests.push(url);
    if (url.searchParams.get('watch')) next(watches)(request, response);
    else response.end(next(lists));
  });
  watch = new Watch(api.client, {
    path: '/things',
    ...(silentMs === undefined ? {} : { silentMs }),
    set: ({ metadata }) => void told.push(`+${metadata?.name}`),
    gone: ({ metadata }) => void told.push(`-${metadata?.name}`),
    fault: (error) => void faults.push(error),
  });
  await watch.start();
}

const open: RequestListener = (_request, response) => void response.writeHead(200).flushHeaders();
const watchRequests = () => requests.filter((url) => url.searchParams.get('watch'));

describe('a watch', () => {
  it.each<[string, RequestListener]>([
    ['as an event', (_q, s) => s.end(event('ERROR', { code: 410, reason: 'Expired', message: 'too old resource version' }))],
    ['as a status', (_q, s) => s.writeHead(410).end(JSON.stringify({ reason: 'Expired', message: 'too old' }))],
  ])('lists again after 410 %s, and tells what vanished meanwhile', async (_name, expired) => {
    await scripted([list('5', 'a', 'b'), list('9', 'b', 'c')], [expired, open]);
    await until('it has caught up', () => told.includes('+c'));
    expect(told.slice(0, 3)).toEqual(['+a', '+b', '-a']);
    expect([...watch.objects.keys()]).toEqual(['n/b', 'n/c']);
    await until('it watches from the new version', () => watchRequests().at(-1)?.searchParams.get('resourceVersion') === '9');
  });

  it('does not list in a storm where all that it lists is too old', async () => {
    const begun = performance.now();
    await scripted([list('5')], [(_q, s) => s.writeHead(410).end('{}')]);
    await until('it was told so again and again', () => faults.length === 4);
    expect(performance.now() - begun).toBeGreaterThanOrEqual(300); // 0, 100 and 200 ms at least between them
  });

  it('goes on from the last bookmark where the server ended it', async () => {
    const bookmark = event('BOOKMARK', { metadata: { resourceVersion: '70' } });
    await scripted([list('5')], [(_q, s) => s.end(event('ADDED', item('a', '6')) + bookmark), open]);
    await until('it watches again', () => watchRequests().length === 2);
    expect(watchRequests().map((url) => url.searchParams.get('resourceVersion'))).toEqual(['5', '70']);
    expect(told).toEqual(['+a']);
    expect(faults).toEqual([]);
    const [first] = watchRequests();
    expect(first?.searchParams.get('allowWatchBookmarks')).toBe('true');
    expect(Number(first?.searchParams.get('timeoutSeconds'))).toBeGreaterThanOrEqual(240);
  });

  it('waits as long as a 429 says', async () => {
    const begun = performance.now();
    await scripted([list('5')], [(_q, s) => s.writeHead(429, { 'Retry-After': '1' }).end('{}'), open]);
    await until('it watches again', () => watchRequests().length === 2);
    expect(performance.now() - begun).toBeGreaterThanOrEqual(1000);
    expect(faults[0]?.status).toBe(429);
  });

  it.each<[string, RequestListener]>([
    ['500', (_q, s) => s.writeHead(500).end('down')],
    ['garbage', (_q, s) => s.end('}{\n')],
    ['a reset', (_q, s) => s.destroy()],
    ['half an event', (_q, s) => s.writeHead(200).write('{"type":"ADD', () => s.destroy())],
  ])('comes back after %s', async (_name, fault) => {
    await scripted([list('5', 'a')], [fault, (_q, s) => void s.writeHead(200).write(event('ADDED', item('b', '6')))]);
    await until('it goes on', () => told.includes('+b'));
    expect(faults).toHaveLength(1);
    expect(requests.filter((url) => !url.searchParams.get('watch'))).toHaveLength(1); // from where it was, without a new list
  });

  it.each<[string, RequestListener]>([
    ['is open but silent', (_q, s) => void s.writeHead(200).write(event('ADDED', item('a', '6')))],
    ['is never answered', () => {}],
  ])('is opened again when it %s: the path to the server may be dead', async (_name, silent) => {
    await scripted([list('5')], [silent, (_q, s) => void s.writeHead(200).write(event('ADDED', item('b', '7')))], 300);
    await until('it goes on', () => told.includes('+b'));
    expect(faults[0]).toMatchObject({ status: 0, reason: 'Silent' });
  });

  it('reads a long list in pages', async () => {
    const page = JSON.stringify({ metadata: { resourceVersion: '5', continue: 'more' }, items: [item('a', '1')] });
    await scripted([page, list('5', 'b')], [open]);
    expect(told).toEqual(['+a', '+b']);
    expect(requests.slice(0, 2).map((url) => url.searchParams.get('continue'))).toEqual([null, 'more']);
  });
});
