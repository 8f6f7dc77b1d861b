// The end of a function, and of a whole namespace: connections are closed and recorded as 438, and nothing is left.
import { once } from 'node:events';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type RunningController, startController } from '../support/controller.ts';
import { allServe, metricsOf, openCrowd, startProxies } from '../support/fleet.ts';
import { fakeFunction, type Kwok, startKwok } from '../support/kwok.ts';
import { applyAll, functionObject, installCrd, kubectl, makeNamespace, type NodeProxy } from '../support/node.ts';
import { type PodHistory, watchHistory } from '../support/pod-history.ts';
import { until } from '../support/ports.ts';

const NAMESPACE = 'deletion';
let kwok: Kwok;
let pods: PodHistory;
let controller: RunningController;
let proxies: NodeProxy[] = [];

beforeAll(async () => {
  await installCrd();
  await makeNamespace(NAMESPACE);
  kwok = await startKwok(NAMESPACE);
  pods = await watchHistory(NAMESPACE);
  controller = await startController(process.env.KUBECONFIG ?? '');
  proxies = await startProxies(2);
  const warm = { warmPods: 4 };
  applyAll(NAMESPACE, [
    fakeFunction('fake', warm),
    functionObject('real', {}, warm),
    fakeFunction('left', warm),
    functionObject('right', {}),
  ]);
  await allServe(proxies, NAMESPACE, ['fake', 'real', 'left', 'right']);
}, 90_000);

afterAll(async () => {
  await Promise.all([...proxies, controller].map((one) => one?.stop()));
  await pods?.stop();
  await kwok?.stop();
});

/** Opens some, removes what they hang on, and gives the close codes that they saw. */
async function removed(names: readonly string[], count: number, remove: () => void): Promise<number[]> {
  const crowds = await Promise.all(names.map((name) => openCrowd(proxies, `/${NAMESPACE}/${name}`, count)));
  const open = crowds.flatMap((crowd) => crowd.open);
  expect(open).toHaveLength(count * names.length);
  const codes = Promise.all(open.map(async (socket) => Number((await once(socket, 'close'))[0])));
  remove();
  return codes;
}

const endsOf = (name: string) =>
  proxies.flatMap(({ lines }) => lines.filter((line) => line.message === 'end' && line.function === `${NAMESPACE}/${name}`));

/** What a proxy says that there is, of this namespace or of none. */
async function left(proxy: NodeProxy): Promise<string> {
  const counted = await metricsOf(proxy);
  const gauges = ['socketpod_open_connections', 'socketpod_pending_connections', 'socketpod_pods', 'socketpod_pending_deletes'];
  const ours = (series: string) => /function_namespace="(deletion)?"/.test(series) || !series.includes('{');
  return [...counted].filter(([series, value]) => gauges.includes(series.split('{')[0] ?? '') && ours(series) && value !== 0).join('; ');
}

describe('the deletion', () => {
  it.each([
    ['fake', 10],
    ['real', 4],
  ])('of a function with %s pods closes its connections and ends its pods', async (name, count) => {
    const codes = await removed([name], count, () => kubectl(['delete', 'wsf', '-n', NAMESPACE, name, '--wait=false']));
    console.log(`${name}: close codes ${codes.join(' ')}`);
    for (const code of codes) expect([1001, 1011]).toContain(code);
    await until('each has its record', () => endsOf(name).length === count);
    expect(new Set(endsOf(name).map(({ code, reason }) => `${code} ${reason}`))).toEqual(new Set(['438 function_deleted']));
    await until('its pods are gone', () => pods.now(name).length === 0, 60_000);
  });

  it('of a namespace leaves nothing', { timeout: 120_000 }, async () => {
    await until('the warm pods wait', () => pods.now('left').length === 4, 30_000);
    const codes = await removed(['left', 'right'], 4, () => kubectl(['delete', 'namespace', NAMESPACE, '--wait=false']));
    for (const code of codes) expect([1001, 1011]).toContain(code);
    await until('each has its record', () => endsOf('left').length + endsOf('right').length === 8);
    // The pods may be told to go before their functions are: then they were deleted by somebody else.
    for (const { reason } of [...endsOf('left'), ...endsOf('right')]) expect(['function_deleted', 'pod_deleted']).toContain(reason);
    await until('the namespace is gone', () => !kubectl(['get', 'namespaces', '-o', 'name']).includes(NAMESPACE), 90_000);
    expect(pods.now()).toEqual([]);
    for (const proxy of proxies) {
      await until('a proxy knows of nothing any more', async () => (await left(proxy)) === '', 20_000).catch(async (error: Error) => {
        throw new Error(`${error.message}: ${await left(proxy)}`);
      });
    }
  });
});
