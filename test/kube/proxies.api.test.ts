// Heartbeats and those who watch them on a real API server: who shares the warm pods, who is dead, and who is not although nothing was
// heard. Times are a tenth of the real ones; outage.long.test.ts has those.
import { afterAll, beforeAll, describe, expect, it, type TestContext } from 'vitest';
import { connectKube, type KubeClient } from '../../src/kube/client.ts';
import { Heartbeat } from '../../src/kube/heartbeat.ts';
import { deleteLease } from '../../src/kube/lease.ts';
import { Proxies } from '../../src/kube/proxies.ts';
import { startApi, type TestApi } from '../support/cluster.ts';
import { type FaultProxy, faultyApi } from '../support/faults.ts';
import { until } from '../support/ports.ts';

const TIMES = { deadMs: 3000, silentMs: 1800 };
const RENEW_MS = 800;
const [A, B] = ['aaaaaaaaaa', 'bbbbbbbbbb'];
let api: TestApi;
let direct: KubeClient;

beforeAll(async () => {
  api = await startApi();
  direct = connectKube(api.kubeconfig);
}, 90_000);

afterAll(async () => {
  await direct?.close();
  await api?.stop();
});

/** A namespace with proxies and watchers of its own, and a second way to the API server that can be made faulty. */
interface Scene {
  readonly namespace: string;
  readonly between: FaultProxy;
  /** Through `between`. */
  readonly faulty: KubeClient;
  alive(proxyId: string, client?: KubeClient, failed?: () => void): Promise<Heartbeat>;
  /** Somebody who watches; `told` has what `sharing` was at each change. */
  watcher(client?: KubeClient): Promise<{ proxies: Proxies; told: string[]; logged: string[] }>;
}

let scenes = 0;

async function scene({ onTestFinished }: TestContext): Promise<Scene> {
  const namespace = `scene-${++scenes}`;
  await direct.call('POST', '/api/v1/namespaces', { body: { metadata: { name: namespace } } });
  const between = await faultyApi(api.kubeconfig, namespace);
  const faulty = connectKube(between.kubeconfig);
  const endings: (() => unknown)[] = [];
  onTestFinished(async () => {
    between.set('pass');
    for (const end of endings.reverse()) await end();
    await faulty.close();
    await between.stop();
  });
  return {
    namespace,
    between,
    faulty,
    async alive(proxyId, client = direct, failed = () => {}) {
      const who = { namespace, proxyId, podName: 'p', podUid: undefined };
      const heartbeat = new Heartbeat({ ...who, client, renewMs: RENEW_MS, log: () => {}, failed });
      await heartbeat.start();
      endings.push(() => heartbeat.stop());
      return heartbeat;
    },
    async watcher(client = direct) {
      const told: string[] = [];
      const logged: string[] = [];
      const events = { changed: () => void told.push(proxies.sharing().join()), log: (line: string) => void logged.push(line) };
      const proxies = new Proxies({ client, namespace, times: TIMES, ...events });
      await proxies.start();
      endings.push(() => proxies.stop());
      return { proxies, told, logged };
    },
  };
}

/** Both live for as long. */
async function bothLive(proxies: Proxies, ms: number): Promise<void> {
  const end = performance.now() + ms;
  await until('the time is over', () => {
    expect([A, B].filter((id) => proxies.isDead(id, 0))).toEqual([]);
    return performance.now() > end;
  });
}

describe('the proxies that share the warm pods', () => {
  it.concurrent('are those that live and do not drain', async (context) => {
    const { alive, watcher, namespace } = await scene(context);
    const b = await alive(B);
    const { proxies, told } = await watcher();
    expect(told).toEqual([B]);
    await alive(A);
    await until('a came', () => told.length === 2);
    expect(proxies.sharing()).toEqual([A, B]);
    b.drain();
    await until('b drains', () => told.length === 3);
    expect(proxies.sharing()).toEqual([A]);
    const renewed = () => proxies.leases.get(`${namespace}/socketpod-proxy-${B}`)?.spec?.renewTime;
    const before = renewed();
    await until('b is renewed while it drains', () => renewed() !== before);
    expect(proxies.isDead(B, 0)).toBe(false);
    await b.stop();
    await until('its Lease is gone', () => proxies.leases.size === 1);
    expect(told).toHaveLength(3);
  });

  it.concurrent('lose one that is silent, and have it back if it was only away', async (context) => {
    const { alive, watcher, between, faulty, namespace } = await scene(context);
    await alive(A);
    await alive(B, faulty);
    const { proxies, told } = await watcher();
    between.set('refuse');
    await until('b is dead', () => proxies.isDead(B, 0), 20_000);
    expect(proxies.sharing()).toEqual([A]);
    await deleteLease(direct, { metadata: { namespace, name: `socketpod-proxy-${B}` } }); // as the controller does
    await until('its Lease is gone', () => proxies.leases.size === 1);
    expect(proxies.sharing()).toEqual([A]);
    between.set('pass');
    await until('b is back', () => proxies.sharing().length === 2, 20_000);
    expect(proxies.isDead(B, 0)).toBe(false);
    expect(told).toEqual([`${A},${B}`, A, `${A},${B}`]);
  });

  it.concurrent('do not lose one whose Lease somebody deleted, as it makes another', async (context) => {
    const { alive, watcher, namespace } = await scene(context);
    await alive(A);
    const { proxies, told } = await watcher();
    const uid = () => proxies.leases.get(`${namespace}/socketpod-proxy-${A}`)?.metadata?.uid;
    const before = uid();
    await deleteLease(direct, { metadata: { namespace, name: `socketpod-proxy-${A}` } });
    await until('its Lease is gone', () => uid() === undefined);
    await until('it has another', () => ![undefined, before].includes(uid()));
    expect(told).toEqual([A]);
    expect(proxies.isDead(A, 0)).toBe(false);
  });

  it.concurrent('lose one whose Lease somebody deleted, when it does not come back', async (context) => {
    const { alive, watcher, between, faulty, namespace } = await scene(context);
    await alive(A);
    await alive(B, faulty);
    const { told } = await watcher();
    between.set('refuse');
    await deleteLease(direct, { metadata: { namespace, name: `socketpod-proxy-${B}` } });
    await until('b is gone', () => told.length === 2, 20_000);
    expect(told).toEqual([`${A},${B}`, A]);
  });

  it.concurrent('are nobody who has only a name like ours', async (context) => {
    const { alive, watcher, namespace } = await scene(context);
    await alive(A);
    const body = { metadata: { name: `socketpod-proxy-${B}` }, spec: {} };
    await direct.call('POST', `/apis/coordination.k8s.io/v1/namespaces/${namespace}/leases`, { body });
    const { proxies } = await watcher();
    expect(proxies.sharing()).toEqual([A]);
  });
});

describe('nobody is dead', () => {
  const FAULT_MS = 5000;

  it.concurrent.for<[string, (between: FaultProxy, live: (ms: number) => Promise<void>) => unknown]>([
    ['the watch cannot reach the API server', (between) => between.set('refuse')],
    ['the path of the watch is stalled', (between) => between.set('stall')],
    ['what was open is stalled for ever', (between) => between.stallOpen()],
    [
      'the watch is cut again and again',
      async (between, live) => {
        for (let i = 0; i < 2 * (FAULT_MS / RENEW_MS); i++) {
          between.cut();
          await live(RENEW_MS / 2);
        }
      },
    ],
  ])('because %s, nor when it works again', async ([, fault], context) => {
    const { alive, watcher, between, faulty } = await scene(context);
    await alive(A);
    await alive(B);
    const { proxies, told, logged } = await watcher(faulty);
    await bothLive(proxies, 1000); // so that the watch is open
    await fault(between, (ms) => bothLive(proxies, ms));
    await bothLive(proxies, FAULT_MS);
    between.set('pass');
    await bothLive(proxies, 2 * TIMES.deadMs);
    expect(told).toEqual([`${A},${B}`]);
    expect(logged.length).toBeGreaterThan(0);
  });

  it.concurrent.for(['refuse', 'stall'] as const)('because the API server is away for all: %s', async (fault, context) => {
    const { alive, watcher, between, faulty } = await scene(context);
    const { proxies, told } = await watcher(faulty);
    await alive(A, faulty, () => proxies.doubt());
    await alive(B, faulty);
    await until('both are known', () => proxies.sharing().length === 2);
    between.set(fault);
    await bothLive(proxies, FAULT_MS);
    between.set('pass');
    await bothLive(proxies, 2 * TIMES.deadMs);
    expect(told).toEqual([A, `${A},${B}`]);
  });

  it('because this process was stopped', async (context) => {
    const { alive, watcher } = await scene(context);
    await alive(A);
    await alive(B);
    const { proxies } = await watcher();
    await bothLive(proxies, RENEW_MS);
    const end = performance.now() + 1.2 * TIMES.deadMs;
    while (performance.now() < end); // nothing is read, no timer fires
    await bothLive(proxies, TIMES.deadMs);
  });
});
