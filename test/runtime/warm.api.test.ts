// Warm pods against an API server without nodes: whose they are, how many are made at a time, and how replicas ask each other for
// places. No pod starts here, so all of them stay on their way.
import type { V1Pod } from '@kubernetes/client-node';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { isWarmPod } from '../../src/core/pod.ts';
import type { ServedFunction } from '../../src/core/served.ts';
import { connectKube, type KubeClient } from '../../src/kube/client.ts';
import { Watch } from '../../src/kube/watch.ts';
import { PodRuntime } from '../../src/runtime/pods.ts';
import type { Started } from '../../src/runtime/runtime.ts';
import { startApi, type TestApi } from '../support/cluster.ts';
import { type FaultProxy, faultyApi } from '../support/faults.ts';
import { podRuntimeOptions } from '../support/pods.ts';
import { until } from '../support/ports.ts';
import { served } from '../support/proxy.ts';

const POD = { template: { spec: { containers: [{ name: 'function', image: 'localhost/fn:1' }] } } };
let api: TestApi;
let between: FaultProxy & { readonly kubeconfig: string };
let direct: KubeClient;
let watch: Watch<V1Pod>;
let sharing: string[] = [];
/** Reasons for which warm pods failed. */
const failed: string[] = [];
const replicas: { readonly runtime: PodRuntime; readonly client: KubeClient }[] = [];
/** The most pods at a time, and the most creates under way. */
let most = 0;
let mostCreates = 0;
/** The most pods of no connection at a time. */
let mostUnused = 0;
/** Patches wait for this. */
let patches = Promise.resolve();

beforeAll(async () => {
  api = await startApi();
  between = await faultyApi(api.kubeconfig);
  direct = connectKube(api.kubeconfig);
  api.kubectl(['create', 'namespace', 'test']);
  const count = () => {
    most = Math.max(most, watch.objects.size);
    mostUnused = Math.max(mostUnused, [...watch.objects.values()].filter((pod) => isWarmPod(pod)).length);
  };
  watch = new Watch<V1Pod>(direct, { path: '/api/v1/namespaces/test/pods', set: count, gone: count, fault: () => {} });
  await watch.start();
}, 90_000);

afterEach(async () => {
  between.set('pass');
  for (const { runtime, client } of replicas.splice(0)) {
    await runtime.close(20_000);
    await client.close();
  }
  await until('no pod is left', () => watch.objects.size === 0);
  most = 0;
  mostCreates = 0;
});

afterAll(async () => {
  watch?.stop();
  await direct?.close();
  await between?.stop();
  await api?.stop();
});

async function replica(proxyId: string): Promise<PodRuntime> {
  const client = connectKube(between.kubeconfig);
  let creates = 0;
  const call = client.call.bind(client);
  client.call = (method, path, options) => {
    const answer = method === 'PATCH' ? patches.then(() => call(method, path, options)) : call(method, path, options);
    if (method === 'POST') {
      mostCreates = Math.max(mostCreates, ++creates);
      const done = () => void creates--;
      answer.then(done, done);
    }
    return answer as ReturnType<typeof client.call<never>>;
  };
  const runtime = new PodRuntime({
    ...podRuntimeOptions(client, proxyId),
    sharing: () => sharing,
    warmFailed: (_fn, { reason }) => void failed.push(reason),
  });
  replicas.push({ runtime, client });
  await runtime.ready();
  return runtime;
}

function warmFunction(warmPods: number, maxConnections: number, part: object = {}): ServedFunction {
  return served('echo', { ...POD, warmPods, maxConnections, ...part }, { uid: '6a1c2f52-95a5-4a55-9c5d-3f0a4c3e9f11' });
}

/** How many pods each replica has, as `aaaaaaaaaa 4`; with a request id: `aaaaaaaaaa connection 4`. */
function counts(): string[] {
  const found = new Map<string, number>();
  for (const { metadata } of watch.objects.values()) {
    const labels = metadata?.labels ?? {};
    const key = `${labels['socketpod.dev/proxy']}${labels['socketpod.dev/request-id'] ? ' connection' : ''}`;
    found.set(key, (found.get(key) ?? 0) + 1);
  }
  return [...found].map(([key, count]) => `${key} ${count}`).sort();
}

function counted(expected: string[]): Promise<void> {
  return until(`there are ${expected.join(', ')}`, () => counts().join() === expected.join(), 15_000).catch((error) => {
    throw new Error(`${error.message}; there are ${counts().join(', ')}`);
  });
}

/** Waits until the answers to so many creates have come. */
function knows(runtime: PodRuntime, count: number): Promise<void> {
  return until(`${count} pods are known`, () => [...runtime.pods()].length === count);
}

const [A, B, C] = ['aaaaaaaaaa', 'bbbbbbbbbb', 'cccccccccc'];

describe('shares', () => {
  it('are those of the replicas that live, and follow them', async () => {
    sharing = [A, B, C];
    const fn = warmFunction(10, 100);
    const all = [await replica(A), await replica(B), await replica(C)];
    for (const runtime of all) runtime.serve(fn);
    await counted([`${A} 4`, `${B} 3`, `${C} 3`]);
    sharing = [A, C];
    for (const runtime of all) runtime.rebalance();
    await counted([`${A} 5`, `${C} 5`]);
    sharing = [A, B, C];
    for (const runtime of all) runtime.rebalance();
    await counted([`${A} 4`, `${B} 3`, `${C} 3`]);
  });

  it('are made ten at a time, those of all functions in turn', async () => {
    sharing = [A];
    const runtime = await replica(A);
    runtime.serve(warmFunction(60, 100));
    runtime.serve({ ...warmFunction(2, 100), name: 'other' });
    const others = () => [...watch.objects.keys()].filter((key) => key.startsWith('test/other-slot-')).length;
    await until('the other function has its pods', () => others() === 2);
    expect(watch.objects.size).toBeLessThan(40);
    await counted([`${A} 62`]);
    expect(mostCreates).toBe(10);
  });

  it('are not made of names that are held: warm pods and connections together never pass maxConnections', async () => {
    sharing = [A, B];
    const fn = warmFunction(6, 6);
    const [a, b] = [await replica(A), await replica(B)];
    const over = new AbortController();
    const starts = Array.from({ length: 4 }, (_, i) => a.start({ fn, connectionId: `c-${i}`, signal: over.signal }));
    await counted([`${A} connection 4`]);
    for (const runtime of [a, b]) runtime.serve(fn);
    await until('two warm pods are there', () => watch.objects.size === 6);
    expect(most).toBe(6);
    over.abort();
    await Promise.all(starts);
    await until('the places are filled again', () => watch.objects.size === 6 && !counts().join().includes('connection'));
  });
});

describe('a start', () => {
  it('takes over a warm pod that is on its way, and the pool makes another one', async () => {
    sharing = [A];
    const runtime = await replica(A);
    const fn = warmFunction(2, 10);
    runtime.serve(fn);
    await knows(runtime, 2);
    const over = new AbortController();
    const before = new Set([...watch.objects.values()].map(({ metadata }) => metadata?.uid));
    const started = runtime.start({ fn, connectionId: 'c-1', signal: over.signal });
    await counted([`${A} 2`, `${A} connection 1`]);
    const [taken] = [...watch.objects.values()].filter(({ metadata }) => metadata?.labels?.['socketpod.dev/request-id'] === 'c-1');
    expect(before.has(taken?.metadata?.uid)).toBe(true);
    over.abort();
    expect(await started).toMatchObject({ ok: false, reason: 'pod_start_timeout' });
    await counted([`${A} 2`]);
  });

  it('that takes one over leaves no more unused ones to be seen than the share and one', async () => {
    sharing = [A];
    const runtime = await replica(A);
    const fn = warmFunction(5, 20);
    runtime.serve(fn);
    await knows(runtime, 5);
    const landed = Promise.withResolvers<void>();
    [mostUnused, patches] = [0, landed.promise];
    const over = new AbortController();
    const starts = Array.from({ length: 3 }, (_, i) => runtime.start({ fn, connectionId: `c-${i}`, signal: over.signal }));
    await until('one is made already', () => watch.objects.size === 6);
    api.kubectl(['get', 'pods', '-n', 'test']); // as long as two others would need
    landed.resolve();
    await counted([`${A} 5`, `${A} connection 3`]);
    expect(mostUnused).toBeLessThanOrEqual(6);
    over.abort();
    await Promise.all(starts);
  });

  it('gets the places of other replicas where no name is free: 10 of 10, all through one of three', async () => {
    sharing = [A, B, C];
    const fn = warmFunction(10, 10);
    const [a, b, c] = [await replica(A), await replica(B), await replica(C)];
    for (const runtime of [a, b, c]) runtime.serve(fn);
    await counted([`${A} 4`, `${B} 3`, `${C} 3`]);
    const over = new AbortController();
    const results: Started[] = [];
    const starts = Array.from({ length: 10 }, async (_, i) => {
      const result = await a.start({ fn, connectionId: `c-${i}`, signal: over.signal });
      results.push(result);
    });
    await counted([`${A} connection 10`]);
    expect(results).toEqual([]);
    expect(most).toBe(10);
    expect(a.full(fn)).toBe(true);
    expect(await a.start({ fn, connectionId: 'one-too-many', signal: over.signal })).toMatchObject({ reason: 'max_connections' });
    over.abort();
    await Promise.all(starts);
  });

  it('gets places of a replica whose pods are of an old template, its own or not', async () => {
    sharing = [A, B];
    const fn = warmFunction(4, 4);
    const [a, b] = [await replica(A), await replica(B)];
    for (const runtime of [a, b]) runtime.serve(fn);
    await counted([`${A} 2`, `${B} 2`]);
    const edited = { ...warmFunction(4, 4, { port: 8000 }), generation: 2 };
    a.serve(edited);
    const over = new AbortController();
    const starts = Array.from({ length: 4 }, (_, i) => a.start({ fn: edited, connectionId: `c-${i}`, signal: over.signal }));
    await counted([`${A} connection 4`]);
    expect(most).toBe(4);
    over.abort();
    await Promise.all(starts);
  });
});

describe('an API server that is away', () => {
  it('keeps no pool from being filled when it is back, nor deletions from happening', async () => {
    sharing = [A];
    const runtime = await replica(A);
    runtime.serve(warmFunction(2, 10));
    await knows(runtime, 2);
    between.set('refuse');
    runtime.serve({ ...warmFunction(2, 10, { port: 8000 }), generation: 2 });
    runtime.serve({ ...warmFunction(3, 10), name: 'other' });
    await until('deletions wait, and creates have failed', () => runtime.pendingDeletes === 2 && failed.length > 0);
    between.set('pass');
    const echoes = () => [...watch.objects.values()].filter(({ metadata }) => metadata?.labels?.['socketpod.dev/function'] === 'echo');
    const ports = () => echoes().map(({ spec }) => spec?.containers[0]?.env?.[0]?.value);
    const done = () => `${counts()} ${ports()}` === `${A} 5 8000,8000` && runtime.pendingDeletes === 0;
    await until('all is as it should be', done, 25_000);
  });
});
