// An edit of spec.template under load: who is connected keeps his pod, who comes gets the new one, and the warm pods are exchanged one
// by one, so that no proxy ever has more than one over its share.
import { expect, it, onTestFinished } from 'vitest';
import { allServe, startProxies } from '../support/fleet.ts';
import { functionsApi } from '../support/functions-api.ts';
import { fakeFunction, startKwok } from '../support/kwok.ts';
import { applyAll, installCrd, makeNamespace } from '../support/node.ts';
import { type PodLife, stateOf, watchHistory } from '../support/pod-history.ts';
import { until } from '../support/ports.ts';
import { sendVisitors } from '../support/visitors.ts';

const NAMESPACE = 'template';
const SHARE = 3;
const IMAGES = ['localhost/fn:2', 'localhost/fn:3', 'localhost/fn:4'];
/** From the edit until each proxy has heard of it, on a busy machine (ms). */
const HEARD_MS = 3000;

const templateOf = (image: string) => (fakeFunction('echo', {}, { image }) as { spec: { template: object } }).spec.template;

it('an edit of spec.template under load ends no connection', { timeout: 180_000 }, async () => {
  await installCrd();
  await makeNamespace(NAMESPACE);
  const kwok = await startKwok(NAMESPACE);
  const pods = await watchHistory(NAMESPACE);
  const functions = functionsApi(NAMESPACE);
  const proxies = await startProxies(3);
  onTestFinished(async () => {
    await Promise.all(proxies.map((proxy) => proxy.stop()));
    await functions.stop();
    await pods.stop();
    await kwok.stop();
  });
  applyAll(NAMESPACE, [fakeFunction('echo', { warmPods: SHARE * proxies.length })]);
  await allServe(proxies, NAMESPACE, ['echo']);
  const waiting = (image: string) => pods.now().filter((life) => life.image === image && stateOf(life) === 'warm').length;
  await until('the warm pods wait', () => waiting('localhost/fn:1') === SHARE * proxies.length, 30_000);
  pods.forgetMost();

  let turn = 0;
  const url = () => `ws://127.0.0.1:${proxies[turn++ % proxies.length]?.port}/${NAMESPACE}/echo`;
  const visitors = sendVisitors({ url, count: 20, stayMs: [500, 6000], random: Math.random });
  await until('they are there', () => visitors.open.size >= 18, 30_000);
  const editedAt: number[] = [];
  for (const image of IMAGES) {
    editedAt.push(performance.now());
    await functions.edit('echo', { template: templateOf(image) });
    await until(
      `all that wait are of ${image}`,
      () => waiting(image) >= (SHARE - 1) * proxies.length && waitingOthers(pods.now(), image) === 0,
      30_000,
    );
    const since = visitors.closed;
    await until('more have come', () => visitors.closed > since + 20, 30_000);
  }
  await visitors.stop();
  expect(visitors.lost).toEqual([]);
  expect(visitors.refused).toEqual([]);

  const lifeOf = (id: string) => [...pods.lives.values()].find(({ requestIds }) => requestIds.has(id));
  for (const { id, openedAt } of kwok.served) {
    const edits = editedAt.filter((at) => at + HEARD_MS < openedAt).length;
    const least = ['localhost/fn:1', ...IMAGES].slice(edits);
    expect(least, `the image of ${id}, opened ${edits} edits later`).toContain(lifeOf(id)?.image);
  }
  console.log(
    `${kwok.served.length} connections over ${IMAGES.length} edits; most unused pods of a proxy ${Math.max(...proxyIds(pods.lives).map((id) => pods.mostUnused(id)))}, share ${SHARE}`,
  );
  for (const id of proxyIds(pods.lives)) expect(pods.mostUnused(id), 'warm pods of one proxy at any moment').toBeLessThanOrEqual(SHARE + 1);
  await until(
    'only warm pods are left',
    () => pods.now().every((life) => stateOf(life) === 'warm') && pods.now().length === SHARE * proxies.length,
    30_000,
  );
});

function waitingOthers(lives: readonly PodLife[], image: string): number {
  return lives.filter((life) => life.image !== image && stateOf(life) === 'warm').length;
}

function proxyIds(lives: ReadonlyMap<string, PodLife>): string[] {
  return [...new Set([...lives.values()].map(({ proxy }) => proxy))];
}
