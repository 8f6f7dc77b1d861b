// The API server away for a long time, for each proxy in another way: stopped, stalled, refusing all with 429, cutting watches again and
// again. Open connections live on, warm pods are handed out, new pods are refused honestly, deletions are kept; and after it nobody who
// is connected is taken for an orphan, and everything converges.
import { expect, it, onTestFinished } from 'vitest';
import type { WebSocket } from 'ws';
import { type ApiFault, startFaultyApi } from '../support/api-faults.ts';
import { startController } from '../support/controller.ts';
import { allServe, closeAll, idOf, metricsOf, openCrowd, sumOf } from '../support/fleet.ts';
import { fakeFunction, startKwok } from '../support/kwok.ts';
import { applyAll, ask, installCrd, makeNamespace, startNodeProxy } from '../support/node.ts';
import { stateOf, watchHistory } from '../support/pod-history.ts';
import { until } from '../support/ports.ts';

const NAMESPACE = 'outage';
const SECONDS = Number(process.env.SOCKETPOD_OUTAGE_SECONDS ?? 90);
/** Longer than a Lease lives, and a leader needs to be elected: whoever is taken for dead by mistake is gone by then (ms). */
const AFTER_MS = 45_000;
/** A pause of the talk over open connections (ms). */
const TALK_MS = 2000;
const FAULTS: readonly ApiFault[] = ['stopped', 'stalled', 'busy', 'choppy'];
const WARM = 3;

it('an outage of the API server ends no connection and leaves no pod', { timeout: (SECONDS + 300) * 1000 }, async () => {
  await installCrd();
  await makeNamespace(NAMESPACE);
  const kwok = await startKwok(NAMESPACE);
  const pods = await watchHistory(NAMESPACE);
  const apis = await Promise.all(FAULTS.map((fault) => startFaultyApi(fault)));
  const [controlled, spare] = await Promise.all([startFaultyApi('leader'), startFaultyApi('standby')]);
  const controllers = await Promise.all([controlled, spare].map((api) => startController(api.kubeconfig)));
  const proxies = await Promise.all(apis.map((api) => startNodeProxy(['--kubeconfig', api.kubeconfig])));
  onTestFinished(async () => {
    for (const api of [...apis, controlled, spare]) api.set('pass');
    await Promise.all([...proxies, ...controllers].map((one) => one.stop()));
    await Promise.all([...apis, controlled, spare].map((api) => api.stop()));
    await pods.stop();
    await kwok.stop();
  });
  applyAll(NAMESPACE, [fakeFunction('cold'), fakeFunction('warm', { warmPods: WARM * FAULTS.length })]);
  await allServe(proxies, NAMESPACE, ['cold', 'warm']);
  const warmOf = (id: string) => pods.now('warm').filter((life) => life.proxy === id && stateOf(life) === 'warm').length;
  await until('each has its warm pods', () => proxies.every((proxy) => warmOf(idOf(proxy)) === WARM), 60_000);

  // Of each proxy: two that stay, and one that leaves meanwhile.
  const staying: WebSocket[] = [];
  const leaving: WebSocket[] = [];
  for (const proxy of proxies) {
    const { open } = await openCrowd([proxy], `/${NAMESPACE}/cold`, 3);
    leaving.push(...open.splice(0, 1));
    staying.push(...open);
  }
  expect([staying.length, leaving.length]).toEqual([8, 4]);
  const talk = async () => {
    for (const socket of staying) expect(await ask(socket, 'still here')).toBe('still here');
  };

  const begun = performance.now();
  for (const [i, fault] of FAULTS.entries()) apis[i]?.set(fault);
  controlled.set('stopped');
  spare.set('busy');
  await closeAll(leaving);
  const found = await Promise.all(proxies.map((proxy, i) => during(proxy, FAULTS[i] ?? 'pass')));
  staying.push(...found.flatMap(({ open }) => open));
  expect(found.map(({ refused }) => refused)).toEqual(FAULTS.map((fault) => (fault === 'choppy' ? {} : { '503/500': 2 })));
  while (performance.now() - begun < SECONDS * 1000) await Promise.all([talk(), pause()]);
  for (const [i, proxy] of proxies.entries()) {
    const pending = sumOf(await metricsOf(proxy), 'socketpod_pending_deletes');
    expect(pending, `deletions kept by a proxy whose API server was ${FAULTS[i]}`).toBe(FAULTS[i] === 'choppy' ? 0 : 1);
  }
  for (const api of [...apis, controlled, spare]) api.set('pass');

  await until(
    'pods are connections and warm pods again',
    () => pods.now().length === staying.length + WARM * FAULTS.length && proxies.every((proxy) => warmOf(idOf(proxy)) === WARM),
    60_000,
  );
  console.log(`away for ${SECONDS} s; all as it should be ${((performance.now() - begun) / 1000 - SECONDS).toFixed(1)} s after it`);
  const mended = performance.now();
  while (performance.now() - mended < AFTER_MS) await Promise.all([talk(), pause()]);
  expect(pods.now()).toHaveLength(staying.length + WARM * FAULTS.length);
  await closeAll(staying);
  await until('only warm pods are left', () => pods.now().length === WARM * FAULTS.length, 30_000);
  for (const { lines } of proxies) {
    const ends = lines.filter(({ message }) => message === 'end').map(({ reason }) => reason);
    expect(ends.filter((reason) => reason !== 'normal_closure' && reason !== 'api_unavailable')).toEqual([]);
  }
});

/** What a proxy does meanwhile: a warm pod opens as ever; those that need a new pod do not, and are told soon. */
async function during(proxy: { readonly port: number }, fault: ApiFault): Promise<Awaited<ReturnType<typeof openCrowd>>> {
  const warm = await openCrowd([proxy], `/${NAMESPACE}/warm`, 1);
  expect(warm.open, `warm pods of a proxy whose API server is ${fault}`).toHaveLength(1);
  const cold = await openCrowd([proxy], `/${NAMESPACE}/cold`, 2);
  return { open: [...warm.open, ...cold.open], refused: cold.refused };
}

/** Between two looks at what must hold all the time. */
function pause(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, TALK_MS));
}
