// Warm pods of several replicas on a real node: shares, places that are asked for, and an API server that goes away.
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { type FaultProxy, faultyApi } from '../support/faults.ts';
import {
  applyAll,
  ask,
  functionObject,
  installCrd,
  kubectl,
  makeNamespace,
  mustOpen,
  type NodeProxy,
  openSocket,
  startNodeProxy,
} from '../support/node.ts';
import { until } from '../support/ports.ts';
import { applied, type Replica, startReplica, type WarmWatch, watchWarm } from '../support/replica.ts';

const NAMESPACE = 'replicas';
let watch: WarmWatch;
let between: FaultProxy & { readonly kubeconfig: string };
let replicas: Replica[] = [];
const processes: NodeProxy[] = [];
let sharing: string[] = [];
let runs = 0;

beforeAll(async () => {
  await installCrd();
  await makeNamespace(NAMESPACE);
  watch = await watchWarm(NAMESPACE);
  between = await faultyApi(process.env.KUBECONFIG ?? '');
}, 60_000);

afterEach(async () => {
  between.set('pass');
  await Promise.all([...replicas.splice(0), ...processes.splice(0)].map((one) => one.stop()));
  kubectl(['delete', 'wsf', '-n', NAMESPACE, '--all', '--wait=false']); // or the processes of the next test serve them too
  await watch.none();
}, 90_000);

afterAll(async () => {
  await watch?.stop();
  await between?.stop();
});

async function start(count: number, kubeconfig?: string): Promise<Replica[]> {
  const run = String(++runs).padStart(2, '0');
  sharing = Array.from({ length: count }, (_, i) => `replica${i}${run}`);
  replicas = await Promise.all(sharing.map((id) => startReplica(id, () => sharing, kubeconfig)));
  return replicas;
}

async function startProcess(): Promise<NodeProxy> {
  const process = await startNodeProxy();
  processes.push(process);
  return process;
}

const shares = () => replicas.map(({ id }) => watch.warm(id).length);

describe('three replicas', () => {
  it('share the warm pods, and what one leaves behind when it goes', async () => {
    const all = await start(3);
    const fn = applied(NAMESPACE, 'shared', { warmPods: 4 });
    for (const one of all) one.serve(fn);
    await watch.settles(4);
    expect(shares()).toEqual([2, 1, 1]);
    const [first] = all;
    sharing = sharing.slice(1); // it drains
    for (const one of all) one.runtime.rebalance();
    await until('the others have them', () => shares().join() === '0,2,2', 30_000);
    const { socket } = await mustOpen(first?.url('replicas/shared') ?? '');
    socket.close(1000);
    await watch.settles(4);
    for (const { id } of all) expect(watch.most(id)).toBeLessThanOrEqual(3);
  });

  it('give each other their places: 10 of 10 connections open through one of them', async () => {
    const all = await start(3);
    const fn = applied(NAMESPACE, 'full', { warmPods: 10, maxConnections: 10 });
    for (const one of all) one.serve(fn);
    await watch.settles(10);
    expect(shares()).toEqual([4, 3, 3]);
    const url = all[1]?.url('replicas/full') ?? '';
    const opened = await Promise.all(Array.from({ length: 10 }, () => mustOpen(url)));
    const names = await Promise.all(opened.map(({ socket }) => ask(socket, 'hostname')));
    expect(new Set(names).size).toBe(10);
    expect(watch.pods.size).toBe(10);
    expect(watch.warm()).toEqual([]);
    expect(await openSocket(url)).toMatchObject({ status: 429, code: 432 });
    for (const { socket } of opened) socket.close(1000);
    await watch.settles(10);
    expect(shares()).toEqual([4, 3, 3]);
  });
});

describe('while the API server is away', () => {
  it('warm pods are handed out, and say so when it is back', async () => {
    const [one] = await start(1, between.kubeconfig);
    const fn = applied(NAMESPACE, 'away', { warmPods: 2 });
    one?.serve(fn);
    await watch.settles(2);
    const url = one?.url('replicas/away') ?? '';
    between.set('refuse');
    const opened = await Promise.all([mustOpen(url), mustOpen(url)]);
    for (const { socket } of opened) expect(await ask(socket, 'hello')).toBe('hello');
    expect(watch.warm()).toHaveLength(2); // so it looks for now
    expect(await openSocket(url)).toMatchObject({ status: 503, code: 500 });
    between.set('pass');
    await watch.settles(2, 2);
    opened[0]?.socket.close(1000);
    await watch.settles(2, 1);
    between.set('refuse');
    opened[1]?.socket.close(1000);
    await until('its deletion waits', () => one?.runtime.pendingDeletes === 1);
    between.set('pass');
    await watch.settles(2);
    expect(watch.most(one?.id ?? '')).toBeLessThanOrEqual(3);
  });
});

describe('processes of socketpod proxy', () => {
  it('share by their Leases, follow kubectl scale, and leave theirs to the other when one is told to end', async () => {
    const [first, second] = [await startProcess(), await startProcess()];
    applyAll(NAMESPACE, [functionObject('scaled', {}, { warmPods: 1 })]);
    await watch.settles(1);
    kubectl(['scale', '-n', NAMESPACE, 'wsf/scaled', '--replicas=4']);
    await watch.settles(4);
    const owners = () => watch.warm().map(({ metadata }) => metadata?.labels?.['socketpod.dev/proxy']);
    expect(new Set(owners()).size).toBe(2);
    const { socket } = await mustOpen(`ws://127.0.0.1:${second.port}/replicas/scaled`);
    await until('it is told', () => second.lines.some(({ message, start }) => message === 'open' && start === 'warm'));
    expect(await first.stop()).toBe(0);
    await until('the other has all', () => watch.warm().length === 4 && new Set(owners()).size === 1, 30_000);
    socket.close(1000);
    await watch.settles(4);
    expect(await second.stop()).toBe(0);
  });

  it('tell the author why warm pods do not become ready', async () => {
    const proxy = await startProcess();
    applyAll(NAMESPACE, [functionObject('untold', { args: ['--exit', '3'] }, { warmPods: 2 })]);
    const told = () => kubectl(['get', 'events', '-n', NAMESPACE, '-o', 'jsonpath={range .items[*]}{.reason} {.message}{"\\n"}{end}']);
    await until('there is an Event', () => told().includes('ContainerExited'), 30_000);
    expect(told()).toContain('405 the container exited before its port opened: a warm pod: exit code 3');
    expect(await proxy.stop()).toBe(0);
  });
});
