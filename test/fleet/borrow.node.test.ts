// Warm pods are split over the proxies, but clients are not: with all slots held by warm pods, whoever asks through one proxy still gets
// every one of them, for a proxy asks the others for theirs.
import { expect, it, onTestFinished } from 'vitest';
import { allServe, closeAll, openCrowd, startProxies } from '../support/fleet.ts';
import { fakeFunction, startKwok } from '../support/kwok.ts';
import { applyAll, functionObject, installCrd, makeNamespace } from '../support/node.ts';
import { stateOf, watchHistory } from '../support/pod-history.ts';
import { until } from '../support/ports.ts';

const NAMESPACE = 'borrow';
const LIMIT = 10;

it('maxConnections: 10, warmPods: 10, 3 proxies: 10 clients through one of them all open', async () => {
  await installCrd();
  await makeNamespace(NAMESPACE);
  const kwok = await startKwok(NAMESPACE);
  const pods = await watchHistory(NAMESPACE);
  const proxies = await startProxies(3);
  onTestFinished(async () => {
    await Promise.all(proxies.map((proxy) => proxy.stop()));
    await pods.none();
    await pods.stop();
    await kwok.stop();
  });
  const full = { maxConnections: LIMIT, warmPods: LIMIT };
  const plan = ['fake', 'fake', 'real']; // each takes the 10 s for which a place that was given up is not filled again
  applyAll(NAMESPACE, [fakeFunction('fake', full), functionObject('real', {}, full)]);
  await allServe(proxies, NAMESPACE, ['fake', 'real']);
  for (const [i, name] of plan.entries()) {
    const warm = () => pods.now(name).filter((life) => stateOf(life) === 'warm');
    await until(`all slots of ${name} are warm`, () => warm().length === LIMIT && pods.now(name).length === LIMIT, 60_000);
    expect(new Set(warm().map(({ proxy }) => proxy)).size, 'each proxy has its share').toBe(3);
    const one = proxies[i % proxies.length];
    const crowd = await openCrowd(one ? [one] : [], `/${NAMESPACE}/${name}`, LIMIT);
    expect(crowd.refused).toEqual({});
    expect(crowd.open).toHaveLength(LIMIT);
    const more = await openCrowd(proxies, `/${NAMESPACE}/${name}`, 3);
    expect(more.refused).toEqual({ '429/432': 3 });
    await closeAll(crowd.open);
    expect(pods.most(name), 'pod objects at any moment').toBe(LIMIT);
  }
});
