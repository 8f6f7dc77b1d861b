// Liveness and election with their real times on a real API server: an outage of more than a minute makes nobody dead, a crash is
// cleared away within a minute, the leading controller's in the same second too.
import { afterAll, beforeAll, describe, expect, it, type TestContext } from 'vitest';
import { startApi, type TestApi } from '../support/cluster.ts';
import { until } from '../support/ports.ts';
import { type Controller, REAL_TIMES, Scene } from './scene.ts';

const [A, B] = ['aaaaaaaaaa', 'bbbbbbbbbb'];
const OUTAGE_MS = 75_000;
let api: TestApi;
let scenes = 0;

beforeAll(async () => {
  api = await startApi();
}, 90_000);

afterAll(() => api?.stop());

async function scene({ onTestFinished }: TestContext): Promise<Scene> {
  const made = await new Scene(api, `scene-${++scenes}`, REAL_TIMES).start();
  onTestFinished(() => made.stop(), 60_000);
  return made;
}

const seconds = (since: number) => ((performance.now() - since) / 1000).toFixed(1);

async function forMs(ms: number, always: () => void): Promise<void> {
  const end = performance.now() + ms;
  const over = () => {
    always();
    return performance.now() > end;
  };
  await until('the time is over', over, 2 * ms);
}

describe('an outage of the API server', () => {
  it.concurrent.for(['refuse', 'stall'] as const)(
    'leaves all proxies alive, and their pods: %s',
    { timeout: 300_000 },
    async (fault, context) => {
      const at = await scene(context);
      const way = await at.way();
      for (const id of [A, B]) await at.proxy(id, way);
      for (const id of [A, A, B]) await at.pod(id);
      const controllers: Controller[] = [await at.controller('one', way), await at.controller('two', way)];
      const leaders = () => controllers.filter(({ election }) => election.leading).length;
      await until('one leads', () => leaders() === 1);
      const nobodyDead = () => {
        for (const { proxies } of controllers) expect([A, B].filter((id) => proxies.isDead(id, 0))).toEqual([]);
        expect(leaders()).toBeLessThanOrEqual(1);
      };
      way.between.set(fault);
      await until('the leader gives up', () => leaders() === 0, 20_000);
      await forMs(OUTAGE_MS, nobodyDead);
      way.between.set('pass');
      const begun = performance.now();
      await until('one leads again', () => leaders() === 1, 60_000);
      console.log(`${fault}: one leads ${seconds(begun)} s after the outage`);
      await forMs(60_000, nobodyDead);
      expect(await at.pods()).toHaveLength(3);
      expect(controllers.flatMap(({ deleted }) => deleted)).toEqual([]);
    },
  );
});

describe('a proxy that is killed', () => {
  it.concurrent('leaves no pod a minute later, though the leading controller is killed with it', { timeout: 180_000 }, async (context) => {
    const at = await scene(context);
    const [proxyWay, leaderWay] = [await at.way(), await at.way()];
    await at.proxy(A);
    await at.proxy(B, proxyWay);
    await at.pod(A);
    for (let i = 0; i < 25; i++) await at.pod(B);
    const leader = await at.controller('leader', leaderWay);
    await until('it leads', () => leader.election.leading);
    const next = await at.controller('next');
    const begun = performance.now();
    proxyWay.between.set('refuse');
    leaderWay.between.set('refuse');
    await until('the next leads', () => next.election.leading, 60_000);
    console.log(`the next controller leads after ${seconds(begun)} s`);
    expect(leader.election.leading).toBe(false);
    await until('its pods are gone', async () => (await at.pods()).length === 1, 60_000 - (performance.now() - begun));
    console.log(`25 pods of the killed proxy are gone after ${seconds(begun)} s`);
    expect(next.deleted).toHaveLength(25);
    leaderWay.between.set('pass');
  });

  it.concurrent('leaves none where it was the only one, and the watch was silent until the next controller led', {
    timeout: 180_000,
  }, async (context) => {
    const at = await scene(context);
    const [proxyWay, leaderWay] = [await at.way(), await at.way()];
    await at.proxy(B, proxyWay);
    for (let i = 0; i < 3; i++) await at.pod(B);
    const leader = await at.controller('leader', leaderWay);
    await until('it leads', () => leader.election.leading);
    await at.controller('next');
    const begun = performance.now();
    proxyWay.between.set('refuse');
    leaderWay.between.set('refuse');
    await until('its pods are gone', async () => (await at.pods()).length === 0, 60_000);
    console.log(`3 pods of the only proxy are gone after ${seconds(begun)} s`);
    leaderWay.between.set('pass');
  });
});
