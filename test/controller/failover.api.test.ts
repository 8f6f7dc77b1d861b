// Two controllers and an API server that goes away: one leads, the other takes over, and everything converges.
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { connectKube, type KubeClient } from '../../src/kube/client.ts';
import type { Heartbeat } from '../../src/kube/heartbeat.ts';
import { startApi, type TestApi } from '../support/cluster.ts';
import { FunctionsOf, installDefinition, playProxy, type RunningController, startController } from '../support/controller.ts';
import { type FaultProxy, faultyApi } from '../support/faults.ts';
import { samples } from '../support/metrics.ts';
import { until } from '../support/ports.ts';

const COUNT = 40;
let api: TestApi;
let between: FaultProxy & { readonly kubeconfig: string };
let client: KubeClient;
let heartbeat: Heartbeat;
let functions: FunctionsOf;
const running: RunningController[] = [];

beforeAll(async () => {
  api = await startApi();
  between = await faultyApi(api.kubeconfig);
  client = connectKube(api.kubeconfig);
  await installDefinition(api);
  functions = new FunctionsOf(api);
  api.kubectl(['create', 'namespace', 'a']);
  heartbeat = await playProxy(client, 'aaaaaaaaaa');
  for (let i = 0; i < COUNT; i++) functions.apply('a', `f${i}`, { route: { hosts: [`h${i % 20}.example`] } });
}, 90_000);

afterEach(async () => {
  for (const one of running.splice(0)) await one.stop();
});

afterAll(async () => {
  await heartbeat?.stop();
  await client?.close();
  await between?.stop();
  await api?.stop();
});

async function start(kubeconfig = api.kubeconfig): Promise<RunningController> {
  const made = await startController(kubeconfig);
  running.push(made);
  return made;
}

async function metric(of: RunningController, fits: RegExp): Promise<number> {
  const text = await (await fetch(`http://127.0.0.1:${of.adminPort}/metrics`)).text();
  return [...samples(text)].reduce((sum, [series, value]) => sum + (fits.test(series) ? value : 0), 0);
}

const LEADER = /^socketpod_leader$/;
const WRITES = /^socketpod_kube_requests_total\{verb="(patch|create)",resource="(websocketfunctions|pods)"/;

interface Row {
  readonly metadata: { readonly generation: number };
  readonly status?: { readonly observedGeneration: number; readonly conditions: { readonly type: string; readonly reason: string }[] };
}

function rows(): Row[] {
  return JSON.parse(api.kubectl(['get', 'wsf', '-n', 'a', '-o', 'json'])).items;
}

/** Waits until all functions have a status of their generation, and are Ready. */
function converged(ms = 60_000): Promise<void> {
  const isReady = ({ metadata, status }: Row) =>
    status?.observedGeneration === metadata.generation &&
    status.conditions.some(({ type, reason }) => type === 'Ready' && reason === 'Ready');
  return until('all functions are Ready', () => rows().every(isReady), ms);
}

describe('two controllers', () => {
  it('have one leader; the other does nothing, is ready, and takes over when the first ends, without work to do', async () => {
    const first = await start();
    await first.leads();
    const second = await start();
    await converged();
    expect([await metric(first, LEADER), await metric(second, LEADER)]).toEqual([1, 0]);
    expect((await fetch(`http://127.0.0.1:${second.adminPort}/readyz`)).status).toBe(200);
    expect(await metric(second, /^socketpod_(reconciles_total|function_ready)/)).toBe(0);
    expect(await metric(second, WRITES)).toBe(0);
    expect(await first.stop()).toBe(0);
    await second.leads();
    await until('it has looked at all', async () => (await metric(second, /work="function",result="done"/)) >= COUNT);
    expect(await metric(second, WRITES), 'all statuses were as they should be, and all pods tried').toBe(0);
    expect(await metric(second, /^socketpod_function_ready/)).toBe(COUNT);
  });

  it('lose nothing when the leader is killed while functions change', async () => {
    const first = await start();
    await first.leads();
    const second = await start();
    first.child.kill('SIGKILL');
    for (let i = 0; i < COUNT; i += 4) functions.apply('a', `f${i}`, { port: 9100 + i, route: { hosts: [`h${i % 20}.example`] } });
    await second.leads();
    await converged();
  });
});

describe('an API server', () => {
  it('that goes away stops nobody: the controller stands by and catches up', async () => {
    const only = await start(between.kubeconfig);
    await only.leads();
    between.set('refuse');
    functions.apply('a', 'f1', { port: 9300, route: { hosts: ['h1.example'] } });
    functions.delete('a', 'f2');
    functions.apply('a', 'f2', { port: 9301, route: { hosts: ['h2.example'] } });
    await until('it leads no more', () => only.lines.some(({ message }) => message.endsWith('leads no more')), 30_000);
    between.set('pass');
    await converged();
    expect(only.child.exitCode).toBeNull();
  });

  it('that cuts every connection again and again costs nothing but time', async () => {
    const only = await start(between.kubeconfig);
    await only.leads();
    const cutting = setInterval(() => between.cut(), 300);
    for (let i = 0; i < COUNT; i += 2) functions.apply('a', `f${i}`, { maxConnections: 50 + i, route: { hosts: [`h${i % 20}.example`] } });
    clearInterval(cutting);
    await converged();
  });
});
