// A rollout loses nobody (contract part 9): three proxies are replaced one by one, behind a load balancer that asks the health path, under
// clients that close by themselves within the drain time while new ones arrive all the time.
import { once } from 'node:events';
import { expect, it, onTestFinished } from 'vitest';
import { startBalancer } from '../support/balancer.ts';
import { allServe, startProxies } from '../support/fleet.ts';
import { fakeFunction, startKwok } from '../support/kwok.ts';
import { applyAll, installCrd, makeNamespace } from '../support/node.ts';
import { stateOf, watchHistory } from '../support/pod-history.ts';
import { until } from '../support/ports.ts';
import { sendVisitors } from '../support/visitors.ts';

const NAMESPACE = 'rolling';
const CLIENTS = 60;
const WARM = 6;
const DRAIN = ['--drain-delay', '2', '--drain-time', '30'];
/** Well within the drain time, so that a drain ends with its last client (ms). */
const STAY_MS = [1000, 8000] as const;

it('rolling 3 proxies under 60 open connections loses none', { timeout: 180_000 }, async () => {
  await installCrd();
  await makeNamespace(NAMESPACE);
  const kwok = await startKwok(NAMESPACE);
  const pods = await watchHistory(NAMESPACE);
  const balancer = await startBalancer();
  let proxies = await startProxies(3, DRAIN);
  onTestFinished(async () => {
    await Promise.all(proxies.map((proxy) => proxy.stop()));
    balancer.stop();
    await pods.stop();
    await kwok.stop();
  });
  applyAll(NAMESPACE, [fakeFunction('echo', { warmPods: WARM })]);
  await allServe(proxies, NAMESPACE, ['echo']);
  for (const { port } of proxies) balancer.targets.add(port);
  await until(
    'the balancer has found them',
    async () => (await fetch(`http://127.0.0.1:${balancer.port}/.socketpod/health`).catch(() => undefined))?.ok ?? false,
  );

  const visitors = sendVisitors({
    url: () => `ws://127.0.0.1:${balancer.port}/${NAMESPACE}/echo`,
    count: CLIENTS,
    stayMs: STAY_MS,
    random: Math.random,
  });
  await until('they are there', () => visitors.open.size >= CLIENTS * 0.9, 30_000);
  const openAt: number[] = [];
  for (const old of [...proxies]) {
    const [next] = await startProxies(1, DRAIN);
    if (!next) throw new Error('no proxy');
    await next.serves(`${NAMESPACE}/echo`);
    proxies = [...proxies.filter((one) => one !== old), next];
    balancer.targets.add(next.port);
    openAt.push(visitors.open.size);
    const exited = once(old.child, 'exit');
    old.child.kill('SIGTERM');
    expect((await exited)[0]).toBe(0);
    balancer.targets.delete(old.port);
    const reasons = old.lines.filter(({ message }) => message === 'end').map(({ reason }) => reason);
    expect(reasons.filter((reason) => reason !== 'normal_closure' && reason !== 'draining')).toEqual([]);
  }
  const arrived = visitors.closed + visitors.open.size;
  await visitors.stop();
  console.log(
    `rolled 3 proxies under ${openAt.join(', ')} open connections; ${arrived} came; refused: ${visitors.refused.join(' ') || 'none'}`,
  );
  expect(visitors.lost).toEqual([]);
  expect(visitors.refused.filter((word) => word.includes('without'))).toEqual([]);
  await until('only warm pods are left', () => pods.now().length === WARM && pods.now().every((life) => stateOf(life) === 'warm'), 30_000);
  expect([...pods.lives.values()].filter(({ requestIds }) => requestIds.size > 1)).toEqual([]);
});
