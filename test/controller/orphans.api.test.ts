// Orphans on a real API server: pods of dead proxies go, and nothing else does. Times are a tenth of the real ones.
import { afterAll, beforeAll, describe, expect, it, type TestContext } from 'vitest';
import { startApi, type TestApi } from '../support/cluster.ts';
import { until } from '../support/ports.ts';
import { QUICK_TIMES, Scene } from './scene.ts';

const [A, B] = ['aaaaaaaaaa', 'bbbbbbbbbb'];
let api: TestApi;
let scenes = 0;

beforeAll(async () => {
  api = await startApi();
}, 90_000);

afterAll(() => api?.stop());

async function scene({ onTestFinished }: TestContext): Promise<Scene> {
  const made = await new Scene(api, `scene-${++scenes}`, QUICK_TIMES).start();
  onTestFinished(() => made.stop());
  return made;
}

/** A proxy that lived, made these pods, and was killed. */
async function killed(scene: Scene, proxyId: string, pods: number): Promise<void> {
  const way = await scene.way();
  await scene.proxy(proxyId, way);
  for (let left = pods; left > 0; left -= 10) await Promise.all(Array.from({ length: Math.min(10, left) }, () => scene.pod(proxyId)));
  way.between.set('refuse');
}

describe('the pods of a dead proxy', () => {
  it.concurrent('go, and its Lease after them; those of the living stay', async (context) => {
    const at = await scene(context);
    await at.proxy(A);
    for (let i = 0; i < 2; i++) await at.pod(A);
    const { deleted } = await at.controller('c');
    await killed(at, B, 30);
    await until('its Lease is gone', async () => !(await at.leases()).includes(`socketpod-proxy-${B}`), 20_000);
    expect(await at.pods()).toEqual(['echo-slot-0', 'echo-slot-1']);
    expect(await at.leases()).toEqual(['socketpod-controller', `socketpod-proxy-${A}`]);
    expect(deleted).toEqual(Array.from({ length: 30 }, () => `${at.namespace}/echo`));
  });

  it('go as fast as the API server takes it, however many they are', async (context) => {
    const at = await scene(context);
    const { proxies, deleted } = await at.controller('c');
    await killed(at, B, 300);
    await until('it is dead', () => proxies.isDead(B, 0), 20_000);
    await until('all are gone', () => deleted.length === 300, 20_000);
    expect(await at.pods()).toEqual([]);
  });

  it.concurrent('go too when nobody ever saw its Lease', async (context) => {
    const at = await scene(context);
    await at.pod(B);
    await at.controller('c');
    await until('the pod is gone', async () => (await at.pods()).length === 0, 20_000);
  });

  it.concurrent('go when a controller comes that was away as it died', async (context) => {
    const at = await scene(context);
    await killed(at, B, 3);
    const end = performance.now() + at.times.liveness.deadMs;
    await until('it has been dead for long', () => performance.now() > end);
    expect(await at.pods()).toHaveLength(3);
    await at.controller('late');
    await until('the pods are gone', async () => (await at.pods()).length === 0, 20_000);
  });

  it.concurrent('go although the leading controller dies with it', async (context) => {
    const at = await scene(context);
    const way = await at.way();
    const leader = await at.controller('leader', way);
    await until('it leads', () => leader.election.leading);
    const next = await at.controller('next');
    await killed(at, B, 3);
    way.between.set('refuse');
    await until('the pods are gone', async () => (await at.pods()).length === 0, 20_000);
    await until('all are counted', () => next.deleted.length === 3); // by the answers, which may come after a look at what is left
    way.between.set('pass');
  });

  it.concurrent('go later when the API server was away', async (context) => {
    const at = await scene(context);
    const way = await at.way();
    const controller = await at.controller('c', way);
    await until('it leads', () => controller.election.leading);
    await killed(at, B, 3);
    await until('it is dead', () => {
      const dead = controller.proxies.isDead(B, 0);
      if (dead) way.between.set('refuse');
      return dead;
    });
    await until('it leads no more', () => !controller.election.leading);
    way.between.set('pass');
    await until('the pods are gone', async () => (await at.pods()).length === 0, 20_000);
    expect(controller.deleted.length).toBeLessThanOrEqual(3);
  });
});

describe('nothing else is touched', () => {
  it.concurrent('not a pod without our labels, or that no function owns', async (context) => {
    const at = await scene(context);
    await at.pod(B, ({ metadata }) => delete metadata?.labels?.['socketpod.dev/proxy']);
    await at.pod(B, ({ metadata }) => delete metadata?.ownerReferences);
    await at.pod(B, ({ metadata }) => {
      for (const owner of metadata?.ownerReferences ?? []) owner.kind = 'Job';
    });
    await at.pod(B);
    await at.controller('c');
    await until('the orphan is gone', async () => !(await at.pods()).includes('echo-slot-3'), 20_000);
    const end = performance.now() + at.times.liveness.deadMs;
    await until('the rest had its time', () => performance.now() > end);
    expect(await at.pods()).toEqual(['echo-slot-0', 'echo-slot-1', 'echo-slot-2']);
  });

  it.concurrent('not the pods of a proxy that drains', async (context) => {
    const at = await scene(context);
    (await at.proxy(A)).drain();
    await at.pod(A);
    await at.pod(B);
    await at.controller('c');
    await until('the orphan is gone', async () => !(await at.pods()).includes('echo-slot-1'), 20_000);
    expect(await at.pods()).toEqual(['echo-slot-0']);
  });
});
