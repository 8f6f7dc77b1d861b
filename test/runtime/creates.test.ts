// Creates that an API server answers in ways which a real one does not show at will: by a script.
import type { RequestListener, ServerResponse } from 'node:http';
import { expect, it, onTestFinished } from 'vitest';
import { PodRuntime } from '../../src/runtime/pods.ts';
import { podRuntimeOptions } from '../support/pods.ts';
import { until } from '../support/ports.ts';
import { served } from '../support/proxy.ts';
import { startScriptedApi } from '../support/scripted-api.ts';

const POD = { template: { spec: { containers: [{ name: 'function', image: 'localhost/fn:1' }] } } };
const QUOTA = 'Operation cannot be fulfilled on resourcequotas "q": the object has been modified';

/** A runtime of an API server without pods, and the names that it asked for, made and deleted. */
async function scene(create: (attempt: number, pod: object, response: ServerResponse) => void) {
  const asked: string[] = [];
  const deleted: string[] = [];
  const answer: RequestListener = async (request, response) => {
    const { method = '', url = '' } = request;
    let body = '';
    for await (const chunk of request) body += chunk;
    if (method === 'POST') {
      asked.push(JSON.parse(body).metadata.name);
      return create(asked.length, JSON.parse(body), response);
    }
    if (method === 'DELETE') deleted.push(url.split('/').at(-1) ?? '');
    if (url.includes('watch=true')) return void response.flushHeaders();
    if (method !== 'GET' || /pods\/./.test(url)) response.writeHead(404);
    response.end(JSON.stringify({ metadata: { resourceVersion: '1' }, items: [] }));
  };
  const { client, stop } = await startScriptedApi(answer);
  const runtime = new PodRuntime(podRuntimeOptions(client, 'aaaaaaaaaa'));
  await runtime.ready();
  onTestFinished(async () => {
    await runtime.close(5000);
    await stop();
  });
  const over = new AbortController();
  const start = (fn = served('echo', { ...POD, maxConnections: 1 })) => runtime.start({ fn, connectionId: 'c-1', signal: over.signal });
  return { asked, deleted, start, over };
}

function refuse(response: ServerResponse, code: number, reason: string, message: string): void {
  response.writeHead(code, { 'content-type': 'application/json' });
  response.end(JSON.stringify({ kind: 'Status', status: 'Failure', code, reason, message }));
}

function make(pod: { metadata?: object }, response: ServerResponse): void {
  response.writeHead(201, { 'content-type': 'application/json' });
  response.end(JSON.stringify({ ...pod, metadata: { ...pod.metadata, uid: 'u', resourceVersion: '7' } }));
}

it('a quota that others change at the same time takes no name: the same one is tried again', async () => {
  const { asked, start, over, deleted } = await scene((attempt, pod, response) => {
    if (attempt <= 3) refuse(response, 409, 'Conflict', QUOTA);
    else make(pod, response);
  });
  const started = start();
  await until('the pod is made', () => asked.length === 4);
  expect(new Set(asked)).toEqual(new Set(['echo-slot-0']));
  over.abort();
  expect((await started).ok).toBe(false);
  await until('it goes', () => deleted.length === 1);
});

it('a quota that never comes to rest is a fault of the API server, and the slot is free', async () => {
  const { start } = await scene((_attempt, _pod, response) => refuse(response, 409, 'Conflict', QUOTA));
  for (const _ of [1, 2]) expect(await start()).toMatchObject({ ok: false, reason: 'api_unavailable', detail: QUOTA });
});

it('an API server that does not answer holds nobody beyond his time, and what it makes after all goes', async () => {
  let late: (() => void) | undefined;
  const { start, over, deleted } = await scene((_attempt, pod, response) => {
    late = () => make(pod, response);
  });
  const started = start();
  await until('the create is under way', () => late !== undefined);
  over.abort();
  expect(await started).toMatchObject({ ok: false, reason: 'pod_start_timeout' });
  expect(deleted).toEqual([]);
  late?.();
  await until('it goes', () => deleted.length === 1);
  expect(deleted).toEqual(['echo-slot-0']);
});
