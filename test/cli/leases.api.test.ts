// The Lease of a real `socketpod proxy`, from its start to every kind of end; and an account that may do little.
import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { join } from 'node:path';
import type { V1Lease } from '@kubernetes/client-node';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { connectKube, type KubeClient } from '../../src/kube/client.ts';
import { account, LEASE_RIGHTS, PROXY_RIGHTS } from '../support/account.ts';
import { startApi, type TestApi } from '../support/cluster.ts';
import { samples } from '../support/metrics.ts';
import { type NodeProxy, startNodeProxy } from '../support/node.ts';
import { listenAnywhere, until } from '../support/ports.ts';
import { rawConnect, upgradeHead } from '../support/raw-client.ts';

const MAIN = join(import.meta.dirname, '..', '..', 'src', 'main.ts');
const UID = '6a1c2f52-95a5-4a55-9c5d-3f0a4c3e9f11';
let api: TestApi;
let client: KubeClient;
const proxies: NodeProxy[] = [];

beforeAll(async () => {
  api = await startApi();
  client = connectKube(api.kubeconfig);
  api.kubectl(['apply', '-f', 'crds/']);
  for (const name of ['ours', 'team-a', 'team-b', 'team-c']) api.kubectl(['create', 'namespace', name]);
  await until('the resource is served', () => api.kubectl(['api-resources']).includes('websocketfunctions'));
}, 90_000);

afterEach(async () => {
  for (const proxy of proxies.splice(0)) await proxy.stop();
  api.kubectl(['delete', 'leases', '-n', 'ours', '--all']);
});

afterAll(async () => {
  await client?.close();
  await api?.stop();
});

async function start(args: readonly string[] = ['--own-namespace', 'ours'], kubeconfig = api.kubeconfig): Promise<NodeProxy> {
  const proxy = await startNodeProxy(['--kubeconfig', kubeconfig, '--pod-name', 'proxy-0', ...args]);
  proxies.push(proxy);
  return proxy;
}

/** A start that must fail. */
function failedStart(args: readonly string[]): { status: number | null; stderr: string } {
  const all = [MAIN, 'proxy', '--listen', '127.0.0.1:0', '--admin', '127.0.0.1:0', ...args];
  return spawnSync(process.execPath, all, { encoding: 'utf8', timeout: 30_000 });
}

async function leases(): Promise<V1Lease[]> {
  const { items } = await client.call<{ items: V1Lease[] }>('GET', '/apis/coordination.k8s.io/v1/namespaces/ours/leases');
  return items;
}

const idOf = (proxy: NodeProxy) => proxy.lines.find(({ message }) => message === 'listening')?.proxy as string;

describe('the Lease of a proxy', () => {
  it('is there when it listens, says whose it is, and is renewed', async () => {
    const proxy = await start(['--own-namespace', 'ours', '--pod-uid', UID]);
    const [lease] = await leases();
    expect(lease).toMatchObject({
      metadata: {
        name: `socketpod-proxy-${idOf(proxy)}`,
        labels: { 'socketpod.dev/lease': 'proxy' },
        ownerReferences: [{ apiVersion: 'v1', kind: 'Pod', name: 'proxy-0', uid: UID }],
      },
      spec: { holderIdentity: 'proxy-0', leaseDurationSeconds: 30 },
    });
    await until('it is renewed', async () => (await leases())[0]?.spec?.renewTime !== lease?.spec?.renewTime, 20_000);
    const metrics = samples(await (await fetch(`http://127.0.0.1:${proxy.adminPort}/metrics`)).text());
    expect(metrics.get('socketpod_watch_last_event_timestamp_seconds{resource="leases"}')).toBeGreaterThan(Date.now() / 1000 - 60);
  });

  it('says that it drains from SIGTERM on, and goes last', async () => {
    const proxy = await start(['--own-namespace', 'ours', '--drain-delay', '3']);
    proxy.child.kill('SIGTERM');
    await until('it says so', async () => (await leases())[0]?.metadata?.annotations?.['socketpod.dev/draining'] === 'true');
    await once(proxy.child, 'exit');
    expect(await leases()).toEqual([]);
  });

  it('stays when the proxy is killed, and the next one has another id', async () => {
    const killed = await start();
    killed.child.kill('SIGKILL');
    await once(killed.child, 'exit');
    expect(await leases()).toHaveLength(1);
    const next = await start();
    expect(idOf(next)).not.toBe(idOf(killed));
    expect(await leases()).toHaveLength(2);
  });

  it('does not stay when the proxy cannot start', async () => {
    const server = createServer();
    const port = await listenAnywhere(server);
    const { stderr } = failedStart(['--kubeconfig', api.kubeconfig, '--own-namespace', 'ours', '--listen', `127.0.0.1:${port}`]);
    server.close();
    expect(stderr).toContain('is in use by another program');
    expect(await leases()).toEqual([]);
  });
});

describe('a proxy', () => {
  it('does not start where it may not have a Lease, and says so in one line', async () => {
    const kubeconfig = await account(api, { namespace: 'ours', name: 'no-lease' }, { 'team-a': PROXY_RIGHTS });
    const { status, stderr } = failedStart(['--kubeconfig', kubeconfig, '--namespace', 'team-a']);
    expect(stderr).toMatch(
      /^socketpod: this kubeconfig may not do what a proxy does: .*cannot create resource "leases" .* in the namespace "ours"\n$/,
    );
    expect(status).toBe(1);
  });

  it('does not start where there is no place for its Lease, and says so in one line', () => {
    const { status, stderr } = failedStart(['--kubeconfig', api.kubeconfig, '--own-namespace', 'nowhere']);
    expect(stderr).toMatch(/^socketpod: namespaces "nowhere" not found; see --own-namespace\n$/);
    expect(status).toBe(1);
  });

  it('needs no more than Roles to serve a list of namespaces, and sees no other', async () => {
    const kubeconfig = await account(
      api,
      { namespace: 'ours', name: 'two-teams' },
      { 'team-a': PROXY_RIGHTS, 'team-b': PROXY_RIGHTS, ours: LEASE_RIGHTS },
    );
    const fn = { apiVersion: 'socketpod.dev/v1alpha1', kind: 'WebSocketFunction', metadata: { name: 'echo' } };
    const spec = { template: { spec: { containers: [{ name: 'function', image: 'localhost/fn:1' }] } } };
    for (const team of ['team-a', 'team-b', 'team-c']) api.kubectl(['apply', '-n', team, '-f', '-'], JSON.stringify({ ...fn, spec }));
    const proxy = await start(['--namespace', 'team-a,team-b'], kubeconfig);
    await proxy.serves('team-a/echo');
    await proxy.serves('team-b/echo');
    expect((await leases()).map(({ metadata }) => metadata?.name)).toEqual([`socketpod-proxy-${idOf(proxy)}`]);

    const foreign = await rawConnect(proxy.port);
    foreign.send(upgradeHead('/team-c/echo'));
    expect(await foreign.head()).toContain('X-Socketpod-Status: 435');
    const own = await rawConnect(proxy.port);
    own.send(upgradeHead('/team-a/echo')); // held: no node runs its pod
    await until('a pod is made', () => api.kubectl(['get', 'pods', '-n', 'team-a', '-o', 'name']).trim() === 'pod/echo-slot-0');
    expect(proxy.lines.filter(({ level }) => level === 'warn')).toEqual([]);
  });

  it('of such an account that is told to serve all namespaces does not start', async () => {
    const kubeconfig = await account(api, { namespace: 'ours', name: 'one-team' }, { 'team-a': PROXY_RIGHTS, ours: LEASE_RIGHTS });
    const { stderr, status } = failedStart(['--kubeconfig', kubeconfig]);
    expect(stderr).toMatch(/^socketpod: this kubeconfig may not do what a proxy does: .*"websocketfunctions".* at the cluster scope\n$/);
    expect(status).toBe(1);
  });
});
