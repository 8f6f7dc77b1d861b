// Warm pods on a real node, one replica: handed out without a call, replaced, thrown away, given back.
import { once } from 'node:events';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { connectOnce } from '../../src/runtime/probe.ts';
import { ask, installCrd, kubectl, makeNamespace, mustOpen } from '../support/node.ts';
import { until } from '../support/ports.ts';
import { applied, type Replica, startReplica, type WarmWatch, watchWarm } from '../support/replica.ts';

const NAMESPACE = 'warm';
let watch: WarmWatch;
let replica: Replica;
let runs = 0;

beforeAll(async () => {
  await installCrd();
  await makeNamespace(NAMESPACE);
  watch = await watchWarm(NAMESPACE);
}, 60_000);

afterEach(async () => {
  await replica?.stop();
  await watch.none();
}, 90_000);

afterAll(() => watch?.stop());

async function start(): Promise<string> {
  const id = `warm${String(++runs).padStart(6, '0')}`;
  replica = await startReplica(id, () => [id]);
  return id;
}

/** Serves a function with so many warm pods, and waits for them. */
async function warmed(name: string, warmPods: number, spec: object = {}, container: object = {}) {
  const fn = applied(NAMESPACE, name, { warmPods, ...spec }, container);
  replica.serve(fn);
  await watch.settles(warmPods);
  return fn;
}

/** Ends a function from outside, past the proxy, and waits until its port refuses: the API server knows nothing of that yet. */
async function end(podIp = ''): Promise<void> {
  const socket = new WebSocket(`ws://${podIp}:9000`);
  await once(socket, 'open');
  socket.send('exit 7');
  await once(socket, 'close');
  // The kernel may take connections for a moment longer, only to drop them.
  await until('its port is closed', async () => {
    const late = await connectOnce(podIp, 9000, 1000, new AbortController().signal);
    late?.destroy();
    return !late;
  });
}

describe('a warm pod', () => {
  it('is handed out without a call to the API server before the 101, says so behind it, and is replaced', async () => {
    await start();
    await warmed('echo', 2);
    replica.log.length = 0;
    const before = watch.warm().map((pod) => pod.metadata?.uid);
    const { socket } = await mustOpen(replica.url('warm/echo'));
    const name = await ask(socket, 'hostname');
    expect(replica.log[0]).toBe('101');
    await watch.settles(2, 1);
    const pod = watch.pods.get(`${NAMESPACE}/${name}`);
    expect(before).toContain(pod?.metadata?.uid);
    const [view] = [...replica.proxy.services.registry.all()].map((one) => one.view());
    expect(view).toMatchObject({ start: 'warm', backend: `${NAMESPACE}/${name}` });
    expect(pod?.metadata?.labels).toMatchObject({ 'socketpod.dev/state': 'connected', 'socketpod.dev/request-id': view?.id });
    expect(pod?.metadata?.annotations).toEqual({ 'cluster-autoscaler.kubernetes.io/safe-to-evict': 'false' });
    const age = (Date.now() - new Date(pod?.status?.startTime ?? 0).getTime()) / 1000;
    const deadline = (pod?.spec?.activeDeadlineSeconds ?? 0) - (90 + 7200 + 60);
    expect(deadline).toBeGreaterThanOrEqual(0);
    expect(deadline).toBeLessThanOrEqual(age + 1);
    for (const warm of watch.warm()) {
      expect(warm.spec?.activeDeadlineSeconds).toBeUndefined();
      expect(warm.metadata?.labels?.['socketpod.dev/request-id']).toBeUndefined();
      expect(warm.metadata?.annotations ?? {}).toEqual({});
    }
    socket.close(1000);
    await watch.settles(2);
    const [record] = await replica.proxy.ended(1);
    expect(record).toMatchObject({ reason: 'normal_closure', start: 'warm' });
    expect(Object.keys(record?.stages ?? {}).sort()).toEqual(['admit', 'handshake', 'port']);
    expect(watch.pods.has(`${NAMESPACE}/${name}`) && watch.pods.get(`${NAMESPACE}/${name}`)?.metadata?.uid === pod?.metadata?.uid).toBe(
      false,
    );
  });

  it('serves one connection and never a second one: a burst beyond the warm pods opens too', async () => {
    await start();
    await warmed('burst', 3);
    const opened = await Promise.all(Array.from({ length: 6 }, () => mustOpen(replica.url('warm/burst'))));
    const names = await Promise.all(opened.map(({ socket }) => ask(socket, 'hostname')));
    expect(new Set(names).size).toBe(6);
    const starts = [...replica.proxy.services.registry.all()].map((one) => one.view().start).sort();
    expect(starts).toEqual(['cold', 'cold', 'cold', 'warm', 'warm', 'warm']);
    await watch.settles(3, 6);
    expect(watch.most(replica.id)).toBeLessThanOrEqual(4);
    for (const { socket } of opened) socket.close(1000);
    await watch.settles(3);
  });

  it('that dies is replaced', async () => {
    await start();
    await warmed('dies', 2);
    const [victim] = watch.warm();
    await end(victim?.status?.podIP);
    await until('it is gone', () => !watch.warm().some((pod) => pod.metadata?.uid === victim?.metadata?.uid), 30_000);
    await watch.settles(2);
  });

  it('that does not answer is thrown away for the next one, and the last one for a cold start', async () => {
    await start();
    await warmed('refuses', 2);
    // Both die in the same moment, and connections come before the API server tells of it.
    await Promise.all(watch.warm().map((pod) => end(pod.status?.podIP)));
    const { socket } = await mustOpen(replica.url('warm/refuses'));
    expect(await ask(socket, 'hello')).toBe('hello');
    socket.close(1000);
    await watch.settles(2);

    const [first] = watch.warm();
    await end(first?.status?.podIP);
    const next = await mustOpen(replica.url('warm/refuses'));
    expect(await ask(next.socket, 'hello')).toBe('hello');
    next.socket.close(1000);
    await watch.settles(2);
  });

  it('whose connection is given up after it was handed out is deleted', async () => {
    await start();
    await warmed('silent', 1, {}, { args: ['--answer', 'silence'] });
    const [pod] = watch.warm();
    const socket = new WebSocket(replica.url('warm/silent'));
    socket.on('error', () => {});
    await until('it was handed out', () => [...replica.proxy.services.registry.all()][0]?.view().state === 'Dialing');
    socket.terminate();
    await until('it is gone', () => ![...watch.pods.values()].some(({ metadata }) => metadata?.uid === pod?.metadata?.uid), 30_000);
    await watch.settles(1);
    expect((await replica.proxy.ended(1))[0]).toMatchObject({ reason: 'client_left', start: 'warm' });
  });
});

describe('warm pods', () => {
  it('are made of the newest template: connections keep theirs, new ones get the new one, and none is over the share but one', async () => {
    await start();
    const old = await warmed('edited', 3, {}, { env: [{ name: 'VERSION', value: '1' }] });
    const open = async () => {
      const { socket, headers } = await mustOpen(replica.url('warm/edited'));
      const own = () =>
        [...watch.pods.values()].find(({ metadata }) => metadata?.labels?.['socketpod.dev/request-id'] === headers['x-request-id']);
      await until('its pod is known', () => own() !== undefined);
      return { socket, version: own()?.spec?.containers[0]?.env?.find(({ name }) => name === 'VERSION')?.value };
    };
    const { socket: kept, version } = await open();
    expect(version).toBe('1');
    await watch.settles(3, 1);
    const edited = applied(NAMESPACE, 'edited', { warmPods: 3 }, { env: [{ name: 'VERSION', value: '2' }] });
    expect(edited.generation).toBeGreaterThan(old.generation);
    replica.serve(edited);
    // Connections come all the time meanwhile.
    const versions: unknown[] = [];
    for (let i = 0; i < 8; i++) {
      const { socket, version } = await open();
      versions.push(version);
      socket.close(1000);
    }
    expect(versions).toEqual(Array(8).fill('2'));
    await watch.settles(3, 1);
    expect(watch.warm().every((pod) => pod.spec?.containers[0]?.env?.some(({ value }) => value === '2'))).toBe(true);
    expect(await ask(kept, 'still here')).toBe('still here');
    kept.close(1000);
    await watch.settles(3);
    expect(watch.most(replica.id)).toBeLessThanOrEqual(4);
    // What is no part of the pod replaces nothing.
    const uids = watch.warm().map(({ metadata }) => metadata?.uid);
    replica.serve(applied(NAMESPACE, 'edited', { warmPods: 3, idleTimeoutSeconds: 33 }, { env: [{ name: 'VERSION', value: '2' }] }));
    const left = () => watch.warm().filter(({ metadata }) => uids.includes(metadata?.uid)).length;
    const { socket } = await open();
    socket.close(1000);
    await watch.settles(3);
    expect(left()).toBe(2);
  });

  it('that cannot become ready are tried later and later, one at a time, until the template changes', async () => {
    await start();
    const before = watch.ever.size;
    replica.serve(applied(NAMESPACE, 'broken', { warmPods: 3 }, { args: ['--exit', '3'] }));
    await until(
      'three failures are told',
      () => replica.lines.filter((line) => line.includes('failed (container_exited)')).length >= 3,
      60_000,
    );
    expect(watch.ever.size - before).toBeLessThanOrEqual(3 + 2);
    expect(watch.warm()).toEqual([]);
    replica.serve(applied(NAMESPACE, 'broken', { warmPods: 3 }));
    await watch.settles(3);
  });

  it('go at once when the proxy drains, when the function is not accepted or switched off, and when it is gone', async () => {
    await start();
    const fn = await warmed('going', 2);
    replica.serve({ ...fn, problem: 'spec.maxMessageBytes: over the ceiling' });
    await watch.none();
    replica.serve(fn);
    await watch.settles(2);
    replica.serve({ ...fn, spec: { ...fn.spec, maxConnections: 0 } });
    await watch.none();
    replica.serve(fn);
    await watch.settles(2);
    replica.runtime.forget('warm/going');
    await watch.none();
    replica.serve(fn);
    await watch.settles(2);
    replica.runtime.drain();
    await watch.none();
    const { socket } = await mustOpen(replica.url('warm/going')); // connections are still taken while load balancers notice
    socket.close(1000);
  });

  it('follow kubectl scale', async () => {
    await start();
    const fn = await warmed('scaled', 1);
    kubectl(['scale', '-n', NAMESPACE, 'wsf/scaled', '--replicas=3']);
    const { spec } = JSON.parse(kubectl(['get', '-n', NAMESPACE, 'wsf', 'scaled', '-o', 'json']));
    expect(spec.warmPods).toBe(3);
    replica.serve({ ...fn, spec });
    await watch.settles(3);
    kubectl(['scale', '-n', NAMESPACE, 'wsf/scaled', '--replicas=0']);
    replica.serve({ ...fn, spec: { ...spec, warmPods: 0 } });
    await watch.none();
  });
});
