// maxConnections is hard, however many proxies race (contract part 4): three of them and two hundred clients at once.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { allServe, closeAll, openCrowd, startProxies } from '../support/fleet.ts';
import { fakeFunction, type Kwok, startKwok } from '../support/kwok.ts';
import { applyAll, functionObject, installCrd, makeNamespace, type NodeProxy } from '../support/node.ts';
import { type PodHistory, watchHistory } from '../support/pod-history.ts';

const NAMESPACE = 'ceiling';
const LIMIT = 10;
const CLIENTS = 200;
let kwok: Kwok;
let pods: PodHistory;
let proxies: NodeProxy[] = [];

beforeAll(async () => {
  await installCrd();
  await makeNamespace(NAMESPACE);
  kwok = await startKwok(NAMESPACE);
  pods = await watchHistory(NAMESPACE);
  proxies = await startProxies(3);
  applyAll(NAMESPACE, [fakeFunction('fake', { maxConnections: LIMIT }), functionObject('real', {}, { maxConnections: LIMIT })]);
  await allServe(proxies, NAMESPACE, ['fake', 'real']);
}, 90_000);

afterAll(async () => {
  await Promise.all(proxies.map((proxy) => proxy.stop()));
  await pods?.none();
  await pods?.stop();
  await kwok?.stop();
});

describe('maxConnections: 10 with 3 proxies', () => {
  const rounds = [...Array<string>(18).fill('fake'), ...Array<string>(2).fill('real')];
  it.each(rounds.map((name, i) => [i + 1, name] as const))('round %i, %s pods: of 200 clients 10 open', async (_round, name) => {
    pods.forgetMost();
    const crowd = await openCrowd(proxies, `/${NAMESPACE}/${name}`, CLIENTS);
    expect(crowd.refused).toEqual({ '429/432': CLIENTS - LIMIT });
    expect(crowd.open).toHaveLength(LIMIT);
    expect(new Set(pods.now(name).map(({ requestIds }) => [...requestIds].join())).size).toBe(LIMIT);
    await closeAll(crowd.open);
    // At once: they wait for the pods that are going; a proxy that has not heard yet that another one's pods go says 432, once.
    const next = await openCrowd(proxies, `/${NAMESPACE}/${name}`, LIMIT, true);
    expect(next.refused).toEqual({});
    await closeAll(next.open);
    await pods.none();
    expect(pods.most(name), 'pod objects at any moment').toBe(LIMIT);
  });

  it('gave each pod one connection', () => {
    const ids = [...pods.lives.values()].map(({ requestIds }) => requestIds.size);
    expect(Math.max(...ids)).toBe(1);
    expect(new Set(kwok.served.map(({ id }) => id)).size).toBe(18 * 2 * LIMIT);
  });
});
