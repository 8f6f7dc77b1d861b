// Orphans on a real API server: pods of dead proxies go, and nothing else does. Times of the liveness are a tenth of the real ones.

import type { V1Pod } from '@kubernetes/client-node';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { Orphans } from '../../src/controller/orphans.ts';
import { podFor } from '../../src/core/pod.ts';
import { connectKube, type KubeClient } from '../../src/kube/client.ts';
import { Heartbeat } from '../../src/kube/heartbeat.ts';
import { createLease, microTime } from '../../src/kube/lease.ts';
import { createPod } from '../../src/kube/pods.ts';
import { Proxies } from '../../src/kube/proxies.ts';
import { Watches } from '../../src/kube/watches.ts';
import { startApi, type TestApi } from '../support/cluster.ts';
import { type FaultProxy, faultyApi } from '../support/faults.ts';
import { until } from '../support/ports.ts';
import { served } from '../support/proxy.ts';

const TIMES = { deadMs: 3000, silentMs: 1800 };
const RENEW_MS = 500;
let api: TestApi;
let direct: KubeClient;
let between: FaultProxy;
let client: KubeClient;
const endings: (() => unknown)[] = [];

beforeAll(async () => {
  api = await startApi();
  direct = connectKube(api.kubeconfig);
  const faulty = await faultyApi(api.kubeconfig);
  between = faulty;
  client = connectKube(faulty.kubeconfig);
  api.kubectl(['create', 'namespace', 'test']);
}, 90_000);

afterEach(async () => {
  between.set('pass');
  for (const end of endings.splice(0).reverse()) await end();
  api.kubectl(['delete', 'pods', '-n', 'test', '--all', '--force', '--grace-period=0']);
  api.kubectl(['delete', 'leases', '-n', 'default', '--all']);
});

afterAll(async () => {
  await client?.close();
  await direct?.close();
  await between?.stop();
  await api?.stop();
});

/** A controller that leads, in what it does about orphans. */
async function controller(): Promise<{ deleted: string[]; logged: string[] }> {
  const deleted: string[] = [];
  const logged: string[] = [];
  const log = (line: string) => void logged.push(line);
  const proxies = new Proxies({ client, namespace: 'default', times: TIMES, log, changed: () => {} });
  const pods = new Watches<V1Pod>(client, {
    base: '/api/v1',
    resource: 'pods',
    namespaces: [],
    query: { labelSelector: 'socketpod.dev/function' },
    set: () => {},
    gone: () => {},
    fault: () => {},
  });
  await Promise.all([proxies.start(), pods.start()]);
  const orphans = new Orphans({ client, pods: pods.objects, proxies, observer: { orphanDeleted: (fn) => void deleted.push(fn) }, log });
  const timer = setInterval(() => orphans.check(), 100);
  endings.push(() => {
    clearInterval(timer);
    proxies.stop();
    pods.stop();
  });
  return { deleted, logged };
}

/** A proxy that lives. */
async function alive(proxyId: string, through = direct): Promise<Heartbeat> {
  const heartbeat = new Heartbeat({
    client: through,
    namespace: 'default',
    proxyId,
    podName: 'p',
    podUid: undefined,
    renewMs: RENEW_MS,
    log: () => {},
  });
  await heartbeat.start();
  endings.push(() => heartbeat.stop());
  return heartbeat;
}

/** The Lease that a proxy left when it was killed. */
const killed = (proxyId: string) =>
  createLease(direct, {
    metadata: { namespace: 'default', name: `socketpod-proxy-${proxyId}`, labels: { 'socketpod.dev/lease': 'proxy' } },
    spec: { holderIdentity: 'p', renewTime: microTime() } as object,
  });

const FUNCTION = served('echo', { template: { spec: { containers: [{ name: 'function', image: 'localhost/fn:1' }] } } });

function pod(proxyId: string, slot: number): Promise<V1Pod> {
  return createPod(direct, podFor(FUNCTION, { slot, proxyId, requestId: crypto.randomUUID(), defaults: true }));
}

async function names(path: string): Promise<string[]> {
  const { items } = await direct.call<{ items: { metadata: { name: string } }[] }>('GET', path);
  return items.map(({ metadata }) => metadata.name).sort();
}
const podNames = () => names('/api/v1/namespaces/test/pods');
const leaseNames = () => names('/apis/coordination.k8s.io/v1/namespaces/default/leases');

describe('the pods of a dead proxy', () => {
  it('go, and its Lease after them; those of the living stay', async () => {
    await alive('aaaaaaaaaa');
    await killed('bbbbbbbbbb');
    for (const slot of [0, 1]) await pod('aaaaaaaaaa', slot);
    for (let slot = 2; slot < 32; slot++) await pod('bbbbbbbbbb', slot);
    const { deleted } = await controller();
    await until('its Lease is gone', async () => (await leaseNames()).length === 1, 20_000);
    expect(await podNames()).toEqual(['echo-slot-0', 'echo-slot-1']);
    expect(await leaseNames()).toEqual(['socketpod-proxy-aaaaaaaaaa']);
    expect(deleted).toEqual(Array.from({ length: 30 }, () => 'test/echo'));
  });

  it('go too when nobody knows its Lease', async () => {
    await alive('aaaaaaaaaa');
    await pod('cccccccccc', 0);
    await controller();
    await until('the pod is gone', async () => (await podNames()).length === 0, 20_000);
  });
});
