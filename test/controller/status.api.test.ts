// What the controller writes, and how often: counts of pods that come and go, warm pods and why they are not there, and nothing while
// nothing changes.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { DEFAULT_CEILINGS } from '../../src/api/ceilings.ts';
import { podFor } from '../../src/core/pod.ts';
import { connectKube, type KubeClient } from '../../src/kube/client.ts';
import { FunctionReader } from '../../src/kube/functions.ts';
import type { Heartbeat } from '../../src/kube/heartbeat.ts';
import { createPod, deletePod } from '../../src/kube/pods.ts';
import { startApi, type TestApi } from '../support/cluster.ts';
import { FunctionsOf, installDefinition, playProxy, type RunningController, startController } from '../support/controller.ts';
import { samples } from '../support/metrics.ts';
import { until } from '../support/ports.ts';

let api: TestApi;
const KIND_OF_OURS = { apiVersion: 'socketpod.dev/v1alpha1', kind: 'WebSocketFunction' };
const PROXY = 'aaaaaaaaaa';
let client: KubeClient;
let heartbeat: Heartbeat;
let functions: FunctionsOf;
let controller: RunningController;

beforeAll(async () => {
  api = await startApi();
  client = connectKube(api.kubeconfig);
  await installDefinition(api);
  functions = new FunctionsOf(api);
  api.kubectl(['create', 'namespace', 'a']);
  heartbeat = await playProxy(client, PROXY);
  controller = await startController(api.kubeconfig);
  await controller.leads();
}, 90_000);

afterAll(async () => {
  expect(await controller?.stop()).toBe(0);
  await heartbeat?.stop();
  await client?.close();
  await api?.stop();
});

async function metrics(): Promise<Map<string, number>> {
  return samples(await (await fetch(`http://127.0.0.1:${controller.adminPort}/metrics`)).text());
}

/** Statuses that were written so far. */
async function writes(): Promise<number> {
  return (await metrics()).get('socketpod_kube_requests_total{verb="patch",resource="websocketfunctions",status_code="200"}') ?? 0;
}

/** A pod of this function in a slot, as a proxy makes it, in this state. */
async function pod(name: string, slot: number, state: string, status?: object) {
  const { fn } = new FunctionReader({ ceilings: DEFAULT_CEILINGS, hostRules: undefined }).read(functions.get('a', name));
  const warm = state === 'warm' || status !== undefined;
  const made = podFor(fn, { slot, proxyId: PROXY, requestId: warm ? undefined : crypto.randomUUID(), defaults: true });
  if (made.metadata?.labels) made.metadata.labels['socketpod.dev/state'] = state;
  const created = await createPod(client, made);
  if (!status) return created;
  const path = `/api/v1/namespaces/a/pods/${created.metadata?.name}/status`;
  return client.call<typeof created>('PATCH', path, { body: { status }, type: 'application/merge-patch+json' });
}

const RUNNING = { podIP: '198.18.0.9', phase: 'Running', containerStatuses: [containerStatus({ running: {} })] };

function containerStatus(state: object): object {
  return { name: 'function', image: 'i', imageID: 'i', ready: true, restartCount: 0, state };
}

describe('counts', () => {
  it('follow the pods, and are written every 2 s at most', async () => {
    functions.apply('a', 'busy');
    await functions.reason('a', 'busy', 'Ready', 'Ready');
    const before = await writes();
    const begun = performance.now();
    const pods = [];
    for (let i = 0; i < 20; i++) pods.push(await pod('busy', i, i < 15 ? 'connected' : 'starting'));
    await until('all are counted', () => functions.get('a', 'busy').status?.openConnections === 15);
    await until('all are counted', () => functions.get('a', 'busy').status?.startingPods === 5);
    await Promise.all(pods.map((one) => deletePod(client, one, 0)));
    await until('none is counted', () => functions.get('a', 'busy').status?.openConnections === 0);
    const seconds = (performance.now() - begun) / 1000;
    expect((await writes()) - before).toBeLessThanOrEqual(2 + seconds / 2);
    expect(functions.get('a', 'busy').status).toMatchObject({ openConnections: 0, startingPods: 0 });
  });

  it('of a foreign pod with our label are none of ours to touch', async () => {
    const foreign = {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name: 'foreign', namespace: 'a', labels: { 'socketpod.dev/function': 'busy' } },
    };
    api.kubectl(['apply', '-f', '-'], JSON.stringify({ ...foreign, spec: { containers: [{ name: 'c', image: 'x' }] } }));
    functions.apply('a', 'busy', { maxConnections: 9 });
    await until('it is looked at again', () => functions.get('a', 'busy').status?.observedGeneration === 2);
    expect(functions.get('a', 'busy').status).toMatchObject({ openConnections: 0, startingPods: 0, warmPods: 0 });
    expect(api.kubectl(['get', 'pods', '-n', 'a', '-o', 'name'])).toBe('pod/foreign\n');
  });
});

describe('warm pods', () => {
  it('are counted, for kubectl scale too; the condition tells what is missing, and what the last one that failed showed', async () => {
    functions.apply('a', 'warm', { warmPods: 2 });
    expect((await functions.reason('a', 'warm', 'Starting', 'WarmPodsReady')).message).toBe('0 of 2 warm pods wait for a connection');
    const waiting = { waiting: { reason: 'ErrImagePull', message: 'no such image' } };
    const failed = await pod('warm', 0, 'starting', { phase: 'Pending', containerStatuses: [containerStatus(waiting)] });
    expect((await functions.reason('a', 'warm', 'ImagePullFailed', 'WarmPodsReady')).message).toBe(
      '0 of 2 warm pods wait for a connection; the last one that failed: ErrImagePull: no such image',
    );
    await deletePod(client, failed, 0);
    await functions.reason('a', 'warm', 'ImagePullFailed', 'WarmPodsReady');
    await pod('warm', 1, 'warm', RUNNING);
    await pod('warm', 2, 'warm', RUNNING);
    await functions.reason('a', 'warm', 'Ready', 'WarmPodsReady');
    expect(functions.get('a', 'warm').status?.warmPods).toBe(2);
    const scale = JSON.parse(api.kubectl(['get', '--raw', '/apis/socketpod.dev/v1alpha1/namespaces/a/websocketfunctions/warm/scale']));
    expect(scale.status).toEqual({ replicas: 2, selector: 'socketpod.dev/function=warm,socketpod.dev/state=warm' });
    expect(api.kubectl(['get', 'pods', '-n', 'a', '-l', scale.status.selector, '-o', 'name']).trim().split('\n')).toHaveLength(2);
  });

  it('one of which a connection takes are still Ready while it is replaced; kubectl scale to 0 takes the condition away', async () => {
    const [since] = [functions.condition('a', 'warm', 'WarmPodsReady')?.lastTransitionTime];
    api.kubectl(['label', 'pod', '-n', 'a', 'warm-slot-1', 'socketpod.dev/state=connected', '--overwrite']);
    await until('it is counted', () => functions.get('a', 'warm').status?.warmPods === 1);
    expect(functions.condition('a', 'warm', 'WarmPodsReady')).toMatchObject({ status: 'True', lastTransitionTime: since });
    await functions.reason('a', 'warm', 'Starting', 'WarmPodsReady'); // after 10 s
    api.kubectl(['scale', 'wsf', '-n', 'a', 'warm', '--replicas=0']);
    await until('it is gone', () => functions.condition('a', 'warm', 'WarmPodsReady') === undefined);
  });
});

describe('at rest', () => {
  it('nothing is written, and what somebody else writes into the status is put right', async () => {
    const before = await writes();
    const patch = JSON.stringify({ status: { openConnections: 77, url: 'wss://elsewhere.example' } });
    api.kubectl(['patch', 'wsf', '-n', 'a', 'busy', '--subresource=status', '--type=merge', '-p', patch]);
    await until('it is put right', () => functions.get('a', 'busy').status?.openConnections === 0);
    expect(functions.get('a', 'busy').status?.url).toBe('');
    expect((await writes()) - before).toBeLessThanOrEqual(2);
  });

  it('what others keep in the status beside ours is left to them, without a quarrel', async () => {
    const before = await writes();
    const apply = ['apply', '--server-side', '--field-manager=other', '--subresource=status', '-f', '-'];
    const condition = { type: 'Foreign', status: 'True', reason: 'R', message: 'm', lastTransitionTime: '2026-01-01T00:00:00Z' };
    const metadata = { name: 'busy', namespace: 'a' };
    api.kubectl(apply, JSON.stringify({ ...KIND_OF_OURS, metadata, status: { conditions: [condition] } }));
    functions.apply('a', 'busy', { maxConnections: 8 });
    await functions.reason('a', 'busy', 'Accepted');
    expect(functions.condition('a', 'busy', 'Foreign')).toEqual(condition);
    expect((await writes()) - before).toBeLessThanOrEqual(3);
  });

  it('an annotation or label of a function changes nothing', async () => {
    const before = await writes();
    api.kubectl(['annotate', 'wsf', '-n', 'a', 'busy', 'note=1']);
    functions.apply('a', 'last');
    await functions.reason('a', 'last', 'Accepted');
    expect((await writes()) - before).toBe(1);
  });
});

describe('/metrics', () => {
  it('has the figures of each function until it is deleted, and of the controller itself', async () => {
    const limits = { resources: { limits: { memory: '128Mi' } } };
    functions.apply('a', 'measured', { maxConnections: 7, warmPods: 3 }, {}, limits);
    await functions.reason('a', 'measured', 'Ready', 'Ready');
    const of = 'function="measured",function_namespace="a"';
    const all = await metrics();
    expect(
      ['ready', 'max_connections', 'warm_pods_desired', 'memory_limit_bytes'].map((name) => all.get(`socketpod_function_${name}{${of}}`)),
    ).toEqual([1, 7, 3, 134_217_728]);
    expect(all.get('socketpod_function_memory_limit_bytes{function="busy",function_namespace="a"}')).toBeUndefined();
    expect([all.get('socketpod_leader'), all.get('socketpod_queue_depth'), all.get('socketpod_orphan_pods_deleted_total')]).toEqual([
      1, 0, 0,
    ]);
    expect(all.get('socketpod_reconciles_total{work="function",result="done"}')).toBeGreaterThan(5);
    expect(all.get('socketpod_reconciles_total{work="trial",result="done"}')).toBeGreaterThan(2);
    for (const resource of ['websocketfunctions', 'pods', 'leases', 'networkpolicies', 'endpointslices', 'services'])
      expect(all.get(`socketpod_watch_last_event_timestamp_seconds{resource="${resource}"}`), resource).toBeGreaterThan(1e9);
    functions.delete('a', 'measured');
    await until('its series are gone', async () => [...(await metrics()).keys()].every((series) => !series.includes(of)));
  });

  it('stands beside /healthz and /readyz, and there are no connections', async () => {
    const ask = async (path: string) => (await fetch(`http://127.0.0.1:${controller.adminPort}${path}`)).status;
    expect(await Promise.all(['/healthz', '/readyz', '/connections', '/connections/x'].map(ask))).toEqual([200, 200, 404, 404]);
  });
});
