// A proxy that is killed (contract part 9): its pods are gone within 60 s, connected and warm ones, also when the leading controller dies
// in the same second; whoever takes its place adopts none of them; and nobody else notices.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type RunningController, startController } from '../support/controller.ts';
import { allServe, closeAll, idOf, killNow, openCrowd, startProxies } from '../support/fleet.ts';
import { fakeFunction, type Kwok, startKwok } from '../support/kwok.ts';
import { applyAll, ask, installCrd, makeNamespace, type NodeProxy, startNodeProxy } from '../support/node.ts';
import { type PodHistory, stateOf, watchHistory } from '../support/pod-history.ts';
import { until } from '../support/ports.ts';

const NAMESPACE = 'crash';
const PATH = `/${NAMESPACE}/echo`;
const WARM = 5;
let kwok: Kwok;
let pods: PodHistory;
let controllers: RunningController[] = [];
let proxies: NodeProxy[] = [];

beforeAll(async () => {
  await installCrd();
  await makeNamespace(NAMESPACE);
  kwok = await startKwok(NAMESPACE);
  pods = await watchHistory(NAMESPACE);
  const kubeconfig = process.env.KUBECONFIG ?? '';
  controllers = await Promise.all([startController(kubeconfig), startController(kubeconfig)]);
  proxies = await startProxies(2);
  applyAll(NAMESPACE, [fakeFunction('echo', { warmPods: 2 * WARM })]); // each of two proxies has its half
  await allServe(proxies, NAMESPACE, ['echo']);
}, 90_000);

afterAll(async () => {
  await Promise.all([...proxies, ...controllers].map((one) => one.stop()));
  await pods?.none();
  await pods?.stop();
  await kwok?.stop();
});

const podsOf = (id: string) => pods.now().filter(({ proxy }) => proxy === id);
const inState = (id: string, state: string) => podsOf(id).filter((life) => stateOf(life) === state).length;

describe('kill -9 of a proxy with 20 open connections and 5 warm pods', () => {
  it.each([
    ['the controllers live', false],
    ['the leading controller is killed in the same second', true],
  ])('leaves none of its pods 60 s later: %s', async (_what, withLeader) => {
    const [victim, witness] = proxies as [NodeProxy, NodeProxy];
    const [id, other] = [idOf(victim), idOf(witness)];
    const lost = await openCrowd([victim], PATH, 20);
    const kept = await openCrowd([witness], PATH, 3);
    await until(
      'each has its connections and its warm pods',
      () =>
        [inState(id, 'connected'), inState(id, 'warm'), inState(other, 'connected'), inState(other, 'warm')].join() ===
        `20,${WARM},3,${WARM}`,
      30_000,
    );
    const leader = controllers.find(({ lines }) => lines.some(({ message }) => message.endsWith(' leads')));
    const before = new Map(podsOf(id).map((life) => [life.uid, life]));
    const killedAt = performance.now();
    await Promise.all([killNow(victim), ...(withLeader && leader ? [killNow(leader)] : [])]);
    // The kubelet starts it again at once, in the same pod: the same name, another process.
    const next = await startNodeProxy();
    proxies = [next, witness];
    if (withLeader && leader) {
      controllers = [...controllers.filter((one) => one !== leader), await startController(process.env.KUBECONFIG ?? '')];
    }
    await until('its pods are gone', () => podsOf(id).length === 0, 90_000);
    const goneMs = performance.now() - killedAt;
    console.log(
      `25 pods of a killed proxy were gone after ${(goneMs / 1000).toFixed(1)} s${withLeader ? ', the leader killed with it' : ''}`,
    );
    expect(goneMs).toBeLessThan(60_000);
    for (const life of before.values())
      expect([life.pod.metadata?.labels?.['socketpod.dev/proxy'], life.requestIds.size <= 1]).toEqual([id, true]);
    for (const life of podsOf(idOf(next))) expect(before.has(life.uid)).toBe(false);
    for (const socket of lost.open) expect(socket.readyState).toBe(socket.CLOSED);
    for (const socket of kept.open) expect(await ask(socket, 'still here')).toBe('still here');
    await until(
      'the warm pods are shared by two again',
      () => inState(idOf(next), 'warm') === WARM && inState(other, 'warm') === WARM,
      30_000,
    );
    await closeAll(kept.open);
  });
});
