// The watch on a real API server, with a proxy between that cuts it: nothing is lost, nothing comes after stop().
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { connectKube, type KubeClient, KubeError } from '../../src/kube/client.ts';
import { Watch, type Watched } from '../../src/kube/watch.ts';
import { startApi, type TestApi } from '../support/cluster.ts';
import { type FaultProxy, faultyApi } from '../support/faults.ts';
import { until } from '../support/ports.ts';

const PATH = '/api/v1/namespaces/default/configmaps';
let api: TestApi;
let between: FaultProxy;
let direct: KubeClient;
let client: KubeClient;

beforeAll(async () => {
  api = await startApi();
  const faulty = await faultyApi(api.kubeconfig);
  between = faulty;
  direct = connectKube(api.kubeconfig);
  client = connectKube(faulty.kubeconfig);
  await until(
    'the namespace is there',
    async () => (await direct.call('GET', '/api/v1/namespaces/default').catch(() => undefined)) !== undefined,
  );
}, 90_000);

afterAll(async () => {
  await client?.close();
  await direct?.close();
  await between?.stop();
  await api?.stop();
});

const make = (name: string) => direct.call('POST', PATH, { body: { metadata: { name, labels: { test: 'watch' } } } });
const remove = (name: string) => direct.call('DELETE', `${PATH}/${name}`);

/** A started watch with all that it told. */
async function watched(): Promise<{ watch: Watch<Watched>; told: string[]; faults: KubeError[] }> {
  const told: string[] = [];
  const faults: KubeError[] = [];
  const watch = new Watch<Watched>(client, {
    path: PATH,
    query: { labelSelector: 'test=watch' },
    set: ({ metadata }) => void told.push(`+${metadata?.name}`),
    gone: ({ metadata }) => void told.push(`-${metadata?.name}`),
    fault: (error) => void faults.push(error),
  });
  await watch.start();
  return { watch, told, faults };
}

describe('a watch', () => {
  it('tells what is there, what comes and what goes', async () => {
    await make('a');
    const { watch, told } = await watched();
    expect(told).toEqual(['+a']);
    await make('b');
    await remove('a');
    await until('both were told', () => told.length === 3);
    expect(told).toEqual(['+a', '+b', '-a']);
    expect([...watch.objects.keys()]).toEqual(['default/b']);
    watch.stop();
    await remove('b');
  });

  it('loses nothing when it is cut again and again', async () => {
    const { watch, told, faults } = await watched();
    for (let i = 0; i < 10; i++) {
      between.cut();
      await make(`cut-${i}`);
      if (i % 2 === 0) await remove(`cut-${i}`);
    }
    // Five are there for a moment on the way, too: four of these and one that was removed since.
    const left = [1, 3, 5, 7, 9].map((i) => `default/cut-${i}`).join();
    await until('all is known', () => [...watch.objects.keys()].sort().join() === left, 30_000);
    await until('each was told once or seen gone', () => [1, 3, 5, 7, 9].every((i) => told.includes(`+cut-${i}`)));
    expect(faults.length).toBeGreaterThan(0);
    watch.stop();
    for (const i of [1, 3, 5, 7, 9]) await remove(`cut-${i}`);
  });

  it('makes up for what happened while the API server was away', async () => {
    await make('before');
    const { watch, told } = await watched();
    between.set('refuse');
    await remove('before');
    await make('meanwhile');
    between.set('pass');
    await until('it has caught up', () => told.includes('-before') && told.includes('+meanwhile'), 30_000);
    watch.stop();
    await remove('meanwhile');
  });

  it('says nothing after stop(), not even what was on its way', async () => {
    const { watch, told } = await watched();
    watch.stop();
    await make('after');
    await direct.call('GET', PATH);
    expect(told).toEqual([]);
    await remove('after');
  });

  it('does not start where it may not look, or where nothing is', async () => {
    const watch = new Watch<Watched>(client, { path: '/apis/none.example/v1/things', set: () => {}, gone: () => {}, fault: () => {} });
    await expect(watch.start()).rejects.toMatchObject({ status: 404 });
  });
});

describe('a call', () => {
  it('that cannot reach the API server is a KubeError without a status', async () => {
    between.set('refuse');
    const error = await client.call('GET', PATH).catch((fault: unknown) => fault);
    between.set('pass');
    expect(error).toBeInstanceOf(KubeError);
    expect(error).toMatchObject({ status: 0 });
  });

  it('that is not answered in time is one too', async () => {
    between.set('stall');
    const error = await client.call('GET', PATH, { timeoutMs: 300 }).catch((fault: unknown) => fault);
    between.set('pass');
    expect(error).toMatchObject({ status: 0 });
  });

  it('shares its connections: a hundred calls need no hundred handshakes', async () => {
    between.cut();
    const before = between.taken();
    await Promise.all(Array.from({ length: 100 }, () => client.call('GET', PATH)));
    expect(between.taken() - before).toBeLessThanOrEqual(16);
  });
});
