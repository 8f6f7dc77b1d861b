// The pod runtime against an API server without nodes: names, conflicts, quotas, and an API server that goes away and comes back.
import { readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import type { V1Pod } from '@kubernetes/client-node';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { parse, stringify } from 'yaml';
import { connectKube, type KubeClient } from '../../src/kube/client.ts';
import { Watch } from '../../src/kube/watch.ts';
import { PodRuntime } from '../../src/runtime/pods.ts';
import type { Started, StartRequest } from '../../src/runtime/runtime.ts';
import { startApi, type TestApi } from '../support/cluster.ts';
import { type FaultProxy, faultyApi } from '../support/faults.ts';
import { podRuntimeOptions } from '../support/pods.ts';
import { listenAnywhere, until } from '../support/ports.ts';
import { served } from '../support/proxy.ts';

const POD = { template: { spec: { containers: [{ name: 'function', image: 'localhost/fn:1' }] } } };
let api: TestApi;
let between: FaultProxy;
let client: KubeClient;
const runtimes: PodRuntime[] = [];

beforeAll(async () => {
  api = await startApi();
  const faulty = await faultyApi(api.kubeconfig);
  between = faulty;
  client = connectKube(faulty.kubeconfig);
  api.kubectl(['create', 'namespace', 'test']);
}, 90_000);

afterEach(async () => {
  between.set('pass');
  await Promise.all(runtimes.splice(0).map((runtime) => runtime.close(20_000)));
  expect(podNames()).toEqual([]);
});

afterAll(async () => {
  await client?.close();
  await between?.stop();
  await api?.stop();
});

async function runtime(proxyId: string): Promise<PodRuntime> {
  const made = new PodRuntime(podRuntimeOptions(client, proxyId));
  await made.ready();
  runtimes.push(made);
  return made;
}

/** A request whose start is given up by the test. */
function request(part: object = {}, name = 'echo'): { request: StartRequest; giveUp: () => void } {
  const over = new AbortController();
  const fn = served(name, { ...POD, ...part }, { uid: '6a1c2f52-95a5-4a55-9c5d-3f0a4c3e9f11' });
  return { request: { fn, connectionId: crypto.randomUUID(), signal: over.signal }, giveUp: () => over.abort() };
}

function podNames(): string[] {
  return api.kubectl(['get', 'pods', '-n', 'test', '-o', 'jsonpath={.items[*].metadata.name}']).split(' ').filter(Boolean).sort();
}

describe('slots', () => {
  it('are taken lowest first, by two proxies at once without a pod too many, and are free again', async () => {
    const [a, b] = [await runtime('aaaaaaaaaa'), await runtime('bbbbbbbbbb')];
    const starts = [a, b, a, b, a, b].map((one) => ({ ...request({ maxConnections: 4 }), one }));
    const refused: Started[] = [];
    const results = starts.map(async ({ one, request }) => {
      const result = await one.start(request);
      refused.push(result);
      return result;
    });
    await until('four pods are there and two starts are refused', () => podNames().length === 4 && refused.length === 2);
    for (const result of refused) expect(result).toMatchObject({ ok: false, reason: 'max_connections' });
    expect(podNames()).toEqual([0, 1, 2, 3].map((n) => `echo-slot-${n}`));
    const { fn } = request({ maxConnections: 4 }).request;
    await until('both know it before they are asked', () => a.full(fn) && b.full(fn));
    expect(a.full({ ...fn, spec: { ...fn.spec, maxConnections: 5 } })).toBe(false);
    for (const { giveUp } of starts) giveUp();
    const reasons = (await Promise.all(results)).map((result) => (result.ok ? 'open' : result.reason));
    expect(reasons.filter((reason) => reason === 'max_connections')).toHaveLength(2);
    await until('the pods are gone', () => podNames().length === 0);
    await until('both know that too', () => !a.full(fn) && !b.full(fn));
    const again = request({ maxConnections: 4 });
    const result = a.start(again.request);
    await until('a slot is taken again', () => podNames().length === 1);
    expect(podNames()[0]).toMatch(/^echo-slot-[0-3]$/); // the lowest that it knows to be free: its watch may lag behind
    again.giveUp();
    await result;
  });

  it('held by the pods of others count', async () => {
    const others = {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name: 'echo-slot-0', namespace: 'test' },
      spec: { containers: [{ name: 'c', image: 'x' }] },
    };
    api.kubectl(['create', '-f', '-'], JSON.stringify(others)); // without our labels, so that no watch shows it
    const one = await runtime('aaaaaaaaaa');
    const { request: next, giveUp } = request({ maxConnections: 2 });
    const result = one.start(next);
    await until('the next slot is taken', () => podNames().includes('echo-slot-1'));
    giveUp();
    await result;
    api.kubectl(['delete', 'pod', '-n', 'test', 'echo-slot-0', '--force', '--grace-period=0']);
  });
});

describe('a start that is given up', () => {
  it('leaves no pod, and says what it was waiting for', async () => {
    const one = await runtime('aaaaaaaaaa');
    const { request: next, giveUp } = request();
    const result = one.start(next);
    await until('the pod is there', () => podNames().length === 1);
    giveUp();
    expect(await result).toMatchObject({ ok: false, reason: 'pod_start_timeout' });
    await until('the pod is gone', () => podNames().length === 0);
  });

  it('because the runtime closes leaves none, whenever its pod is made', async () => {
    const one = await runtime('aaaaaaaaaa');
    const result = one.start(request().request);
    const begun = performance.now();
    await one.close(25_000);
    expect(performance.now() - begun, 'it waits for pods, not for its time to be over').toBeLessThan(15_000);
    expect((await result).ok).toBe(false);
    expect(podNames()).toEqual([]);
  });

  it('while its pod is created leaves none either', async () => {
    const one = await runtime('aaaaaaaaaa');
    const { request: next, giveUp } = request();
    const result = one.start(next);
    giveUp();
    expect((await result).ok).toBe(false);
    await until('no pod is there', () => podNames().length === 0);
  });
});

describe('the API server', () => {
  it('that cannot be reached refuses new pods at once', async () => {
    const one = await runtime('aaaaaaaaaa');
    between.set('refuse');
    expect(await one.start(request().request)).toMatchObject({ ok: false, reason: 'api_unavailable' });
  });

  it('that was away when a pod should be deleted loses it later', async () => {
    const one = await runtime('aaaaaaaaaa');
    const { request: next, giveUp } = request();
    const result = one.start(next);
    await until('the pod is there', () => podNames().length === 1);
    between.set('refuse');
    giveUp();
    expect((await result).ok).toBe(false);
    expect(podNames()).toHaveLength(1);
    between.set('pass');
    await until('the pod is gone', () => podNames().length === 0, 20_000);
  });

  it('that has a pod of this process that nobody knows loses it, but not one that only bears our labels', async () => {
    await runtime('aaaaaaaaaa');
    const labels = { 'socketpod.dev/function': 'echo', 'socketpod.dev/proxy': 'aaaaaaaaaa', 'socketpod.dev/state': 'starting' };
    const owner = { apiVersion: 'socketpod.dev/v1alpha1', kind: 'WebSocketFunction', name: 'echo', uid: 'u-1', controller: true };
    const spec = { containers: [{ name: 'function', image: 'localhost/fn:1' }], terminationGracePeriodSeconds: 0 };
    const pod = (name: string, metadata: object) => ({ apiVersion: 'v1', kind: 'Pod', metadata: { name, labels, ...metadata }, spec });
    const items = [pod('stranger', {}), pod('echo-slot-7', { ownerReferences: [owner] })];
    api.kubectl(['create', '-n', 'test', '-f', '-'], JSON.stringify({ apiVersion: 'v1', kind: 'List', items }));
    await until('ours is gone', () => podNames().length === 1);
    expect(podNames().join()).toContain('stranger');
    api.kubectl(['delete', 'pod', 'stranger', '-n', 'test', '--force', '--grace-period=0']);
  });

  it('that is asked by a kubeconfig without the right to create pods rejects them', async () => {
    api.kubectl(['create', 'serviceaccount', 'reader', '-n', 'test']);
    api.kubectl(['create', 'clusterrole', 'reader', '--verb=get,list,watch', '--resource=pods']);
    api.kubectl(['create', 'clusterrolebinding', 'reader', '--clusterrole=reader', '--serviceaccount=test:reader']);
    const token = api.kubectl(['create', 'token', 'reader', '-n', 'test']).trim();
    const config = parse(readFileSync(api.kubeconfig, 'utf8'));
    config.users[0].user = { token };
    writeFileSync(`${api.kubeconfig}.reader`, stringify(config));
    const reader = connectKube(`${api.kubeconfig}.reader`);
    const one = new PodRuntime(podRuntimeOptions(reader, 'cccccccccc'));
    await until('the account may look', () =>
      one.ready().then(
        () => true,
        () => false,
      ),
    );
    expect(await one.start(request().request)).toMatchObject({
      ok: false,
      reason: 'pod_rejected',
      detail: expect.stringContaining('cannot create'),
    });
    await one.close(1000);
    await reader.close();
  });
});

describe('a pod that its node refuses', () => {
  it('is made again after a pause, longer each time, until nobody waits any more', async () => {
    const path = '/api/v1/namespaces/test/pods';
    const made = new Map<string, number>();
    const set = ({ metadata: { name, uid = '' } = {} }: V1Pod) => {
      if (made.has(uid)) return;
      made.set(uid, performance.now());
      const body = { status: { phase: 'Failed', reason: 'OutOfcpu' } };
      client.call('PATCH', `${path}/${name}/status`, { body, type: 'application/merge-patch+json' }).catch(() => {});
    };
    const node = new Watch<V1Pod>(client, { path, set, gone: () => {}, fault: () => {} });
    await node.start();
    const { request: next, giveUp } = request();
    const started = (await runtime('aaaaaaaaaa')).start(next);
    await until('four were made', () => made.size === 4);
    node.stop();
    const [first = 0, , , last = 0] = [...made.values()];
    expect(last - first, 'the shortest pauses are 100, 200 and 400 ms').toBeGreaterThan(650);
    giveUp();
    expect((await started).ok).toBe(false);
  });
});

describe('a pod at an address where none can be', () => {
  it.each([
    ['this machine, where something listens', { podIP: '127.0.0.1' }],
    ['the link', { podIP: '169.254.169.254' }],
    ['its own node', { podIP: '198.18.0.7', hostIP: '198.18.0.7' }],
    ["its own node's other address", { podIP: 'fd00::7', hostIP: '198.18.0.7', hostIPs: [{ ip: '198.18.0.7' }, { ip: 'fd00:0::7' }] }],
  ])('is not dialled: %s', async (_what, addresses) => {
    let calls = 0;
    const server = createServer(() => calls++);
    const port = await listenAnywhere(server);
    const { request: asked } = request({ port });
    const started = (await runtime('cccccccccc')).start(asked);
    await until('the pod is there', () => podNames().length === 1);
    const running = { name: 'function', ready: true, restartCount: 0, image: 'i', imageID: 'i', state: { running: {} } };
    const status = JSON.stringify({
      status: { phase: 'Running', podIPs: [{ ip: addresses.podIP }], ...addresses, containerStatuses: [running] },
    });
    api.kubectl(['patch', 'pod', '-n', 'test', podNames()[0] ?? '', '--subresource=status', '--type=merge', '-p', status]);
    expect(await started).toMatchObject({ ok: false, reason: 'internal_error', detail: `no pod can be at ${addresses.podIP}` });
    expect(calls).toBe(0);
    server.close();
    await until('the pod is gone', () => podNames().length === 0);
  });
});
