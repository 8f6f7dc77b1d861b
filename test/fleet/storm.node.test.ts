// A storm of everything at once, by random numbers that are printed: clients, edits, deletions, killed and rolled proxies, killed
// controllers, faults of the API server. At quiet points, and at the end, there are as many pods as connections and warm pods.
import { expect, it, onTestFinished } from 'vitest';
import { startFaultyApi } from '../support/api-faults.ts';
import { startController } from '../support/controller.ts';
import { randomBy } from '../support/frames.ts';
import { functionsApi } from '../support/functions-api.ts';
import { startKwok } from '../support/kwok.ts';
import { installCrd, makeNamespace } from '../support/node.ts';
import { stateOf, watchHistory } from '../support/pod-history.ts';
import { until } from '../support/ports.ts';
import { Storm } from './storm-actions.ts';
import { StormClients } from './storm-clients.ts';
import { judge, knownNow } from './storm-judge.ts';
import { StormProxies } from './storm-proxies.ts';

const NAMESPACE = 'storm';
const NAMES = ['one', 'two', 'three', 'four'];
const SECONDS = Number(process.env.SOCKETPOD_STORM_SECONDS ?? 180);
const SEED = Number(process.env.SOCKETPOD_STORM_SEED ?? Math.floor(Math.random() * 2 ** 32));
/** Between two quiet points (ms). */
const RAGE_MS = 60_000;
/** The bound for the pods of a killed proxy, and some more on a busy machine (ms). */
const CALM_MS = 90_000;

it('a storm leaves as many pods as connections and warm pods', { timeout: (SECONDS * 3 + 300) * 1000 }, async () => {
  console.log(`storm: SOCKETPOD_STORM_SEED=${SEED} SOCKETPOD_STORM_SECONDS=${SECONDS}`);
  const random = randomBy(SEED);
  await installCrd();
  await makeNamespace(NAMESPACE);
  const kwok = await startKwok(NAMESPACE);
  const pods = await watchHistory(NAMESPACE);
  const api = await startFaultyApi();
  const functions = functionsApi(NAMESPACE);
  const controllers = await Promise.all([startController(api.kubeconfig), startController(api.kubeconfig)]);
  const proxies = new StormProxies(['--kubeconfig', api.kubeconfig, '--drain-time', '5', '--max-starts-per-second', '500']);
  await Promise.all([proxies.start(), proxies.start(), proxies.start()]);
  const storm = new Storm(NAMES, { api, functions, proxies, controllers, random });
  await storm.createAll();
  const clients = new StormClients({
    count: 30,
    namespace: NAMESPACE,
    functions: NAMES,
    random,
    proxy: () => proxies.serving[Math.floor(random() * proxies.serving.length)] as (typeof proxies.all)[number],
  });
  onTestFinished(async () => {
    api.set('pass');
    await clients.stop();
    await proxies.stop();
    await Promise.all(controllers.map((controller) => controller.stop()));
    await functions.stop();
    await api.stop();
    await pods.stop();
    await kwok.stop();
  });

  /** What is not as it should be, function by function. */
  const unrest = () =>
    storm.all.flatMap(({ name, asked: { maxConnections, warmPods }, version }) => {
      const behind = proxies.serving
        .filter((proxy) => knownNow(proxy, `${NAMESPACE}/${name}`) !== version)
        .map(({ id }) => `${id} does not know ${name} as it is`);
      const states = pods.now(name).map(stateOf).sort();
      const open = clients.openTo(name);
      const least = Math.min(warmPods, Math.max(0, maxConnections - open));
      const warm = states.filter((state) => state === 'warm').length;
      const good = states.length === open + warm && states.every((state) => state === 'warm' || state === 'connected');
      return good && warm >= least && warm <= warmPods
        ? behind
        : [...behind, `${name}: ${open} open, ${least} of ${warmPods} warm wanted, pods ${states.join(' ')}`];
    });
  const calm = async () => {
    clients.paused = true;
    await until('all is calm', () => unrest().length === 0, CALM_MS).catch((error: Error) => {
      throw new Error(`${error.message}: ${unrest().join('; ')}\n${storm.done.slice(-40).join('\n')}`);
    });
    console.log(`calm with ${clients.open.size} open and ${pods.now().length} pods, after ${clients.visits.length} visits`);
    clients.paused = false;
  };
  for (let raged = 0; raged < SECONDS * 1000; raged += RAGE_MS) {
    await storm.rage(Math.min(RAGE_MS, SECONDS * 1000 - raged));
    await calm();
  }
  await clients.stop();
  await calm();
  await until('each has its record', () => judge(seen()).every((line) => !line.includes('has no record')), 10_000).catch(() => {});
  function seen() {
    const { visits } = clients;
    return { visits, proxies: proxies.all, served: kwok.served, pods, functions: storm.all, begunAt: storm.begunAt };
  }
  const reasons = proxies.all.flatMap(({ lines }) => lines.filter(({ message }) => message === 'end').map(({ reason }) => String(reason)));
  console.log(
    Object.entries(Object.groupBy(reasons, (reason) => reason))
      .map(([reason, all]) => `${reason} ${all?.length}`)
      .join(', '),
  );
  const wrong = judge(seen());
  expect(wrong, storm.done.join('\n')).toEqual([]);
});
