// Many functions and pods: how soon a new function routes, how much memory the processes take, and how little they ask of the API server
// at rest (contract part 9). Prints its figures; what it asserts are the contract's bounds.
import { get } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, it, onTestFinished } from 'vitest';
import { startController } from '../support/controller.ts';
import { metricsOf, startProxies, sumOf } from '../support/fleet.ts';
import { functionsApi } from '../support/functions-api.ts';
import { fakeFunction, startKwok } from '../support/kwok.ts';
import { installCrd, makeNamespace } from '../support/node.ts';
import { stateOf, watchHistory } from '../support/pod-history.ts';
import { until } from '../support/ports.ts';

const NAMESPACE = 'scale';
const FUNCTIONS = Number(process.env.SOCKETPOD_SCALE_FUNCTIONS ?? 1000);
const REST_SECONDS = Number(process.env.SOCKETPOD_SCALE_REST_SECONDS ?? 90);
const WARM = 2;
const NEW = 100;
const CREATORS = 16;

interface Process {
  readonly adminPort: number;
}

it(`${FUNCTIONS} functions and ${FUNCTIONS * WARM} pods`, { timeout: (REST_SECONDS + 600) * 1000 }, async () => {
  await installCrd();
  await makeNamespace(NAMESPACE);
  const kwok = await startKwok(NAMESPACE, 20);
  const pods = await watchHistory(NAMESPACE);
  const functions = functionsApi(NAMESPACE);
  const kubeconfig = process.env.KUBECONFIG ?? '';
  const controllers = await Promise.all([startController(kubeconfig), startController(kubeconfig)]);
  const proxies = await startProxies(3);
  onTestFinished(async () => {
    const begun = performance.now();
    await Promise.all([...proxies, ...controllers].map((one) => one.stop()));
    await functions.removeAll(); // the proxies of other tests would serve them, and fill their warm pods
    await pods.none(120_000);
    await functions.stop();
    await pods.stop();
    await kwok.stop();
    console.log(`cleared away in ${((performance.now() - begun) / 1000).toFixed(1)} s`);
  }, 300_000);

  const begun = performance.now();
  const since = () => `${((performance.now() - begun) / 1000).toFixed(1)} s`;
  let next = 0;
  const creator = async () => {
    while (next < FUNCTIONS) await functions.create(fakeFunction(`f${next++}`, { warmPods: WARM, maxConnections: 10 }));
  };
  await Promise.all(Array.from({ length: CREATORS }, creator));
  console.log(`${FUNCTIONS} functions created after ${since()}`);
  const waiting = () => pods.now().filter((life) => stateOf(life) === 'warm').length;
  await until('all warm pods wait', () => waiting() === FUNCTIONS * WARM, 240_000).catch((error: Error) => {
    throw new Error(`${error.message}: ${waiting()} of ${pods.now().length} pods are warm`);
  });
  console.log(`${FUNCTIONS * WARM} warm pods wait after ${since()}`);

  const all = [...proxies, ...controllers];
  await until('the processes are at rest', () => atRest(all), 240_000);
  console.log(`at rest after ${since()}`);
  const before = await requests(all);
  await sleep(REST_SECONDS * 1000);
  const perMinute = ((await requests(all)) - before) / (REST_SECONDS / 60);
  console.log(`at rest: ${perMinute.toFixed(1)} requests a minute of 3 proxies and 2 controllers, over ${REST_SECONDS} s`);
  for (const [name, list] of Object.entries({ proxies, controllers })) {
    const megabytes = await Promise.all(list.map(async (one) => sumOf(await metricsOf(one), 'process_resident_memory_bytes') / 1e6));
    console.log(`memory of ${name}: ${megabytes.map((value) => `${value.toFixed(0)} MB`).join(', ')}`);
  }

  const routedMs: number[] = [];
  for (let i = 0; i < NEW; i++) {
    const created = performance.now();
    await functions.create(fakeFunction(`new${i}`));
    const port = proxies[i % proxies.length]?.port ?? 0;
    await until('the new function routes', async () => (await statusOf(port, `/${NAMESPACE}/new${i}`)) !== 404, 30_000);
    routedMs.push(performance.now() - created);
  }
  routedMs.sort((a, b) => a - b);
  const percentile = (part: number) => routedMs[Math.ceil(part * NEW) - 1] ?? Number.NaN;
  console.log(
    `a new function routes: p50 ${percentile(0.5).toFixed(0)} ms, p99 ${percentile(0.99).toFixed(0)} ms after its create was sent`,
  );
  expect(percentile(0.99)).toBeLessThan(1000);
  expect(perMinute).toBeLessThan(100);
});

/** Calls to the API server so far, of all. */
async function requests(all: readonly Process[]): Promise<number> {
  const counted = await Promise.all(all.map(async (one) => sumOf(await metricsOf(one), 'socketpod_kube_requests_total')));
  return counted.reduce((sum, count) => sum + count, 0);
}

/** Is what follows from the creation of the functions over? */
async function atRest(all: readonly Process[]): Promise<boolean> {
  const before = await requests(all);
  await sleep(5000);
  return (await requests(all)) - before < 20;
}

/** The status of a request that is no upgrade: 404 where there is no function, 426 where there is one. */
function statusOf(port: number, path: string): Promise<number> {
  return new Promise((resolve, reject) => {
    const request = get({ port, host: '127.0.0.1', path, agent: false }, (response) => {
      response.resume();
      resolve(response.statusCode ?? 0);
    });
    request.once('error', reject);
  });
}
