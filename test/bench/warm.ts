// Accept to 101 with warm pods on a real node: one connection after another, each beside a direct dial to the very pod that it got,
// and a burst of as many connections as there are warm pods.
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { applyAll, functionObject, installCrd, type NodeProxy, type PodWatch, startNodeProxy, watchPods } from '../support/node.ts';
import { until } from '../support/ports.ts';
import { upgradeHead } from '../support/raw-client.ts';
import { median, percentile, printTable } from './figures.ts';

/** Runs, connections one after another in each, and in the burst. */
const [RUNS, SINGLE, BURST] = [5, 40, 100];

/** From the TCP connect to the 101, in ms. */
async function open(host: string, port: number, path: string): Promise<{ readonly ms: number; readonly socket: Socket }> {
  const begun = performance.now();
  const socket = connect({ host, port, noDelay: true });
  socket.on('error', () => {}); // 'close' follows, and once() below rejects
  socket.write(upgradeHead(path));
  const [answer] = (await once(socket, 'data')) as [Buffer];
  const ms = performance.now() - begun;
  if (!answer.toString('latin1').startsWith('HTTP/1.1 101 ')) throw new Error(answer.toString('latin1'));
  return { ms, socket };
}

function warm(pods: PodWatch, fn: string): number {
  const labels = [...pods.pods.values()].map(({ metadata }) => metadata?.labels ?? {});
  return labels.filter((one) => one['socketpod.dev/function'] === fn && one['socketpod.dev/state'] === 'warm').length;
}

const PARTS = [0.5, 0.9, 0.99, 1];
const HEAD = ['', 'p50', 'p90', 'p99', 'max'];

/** The middle of what the runs had. */
function row(name: string, runs: readonly (readonly number[])[]): string[] {
  return [name, ...PARTS.map((part) => median(runs.map((values) => percentile(values, part))).toFixed(2))];
}

async function single(proxy: NodeProxy, pods: PodWatch): Promise<{ readonly through: number[]; readonly direct: number[] }> {
  const through: number[] = [];
  const direct: number[] = [];
  for (let i = 0; i < SINGLE; i++) {
    await until('all warm pods are there', () => warm(pods, 'single') === 5 && pods.pods.size === 5, 60_000);
    const one = await open('127.0.0.1', proxy.port, '/default/single');
    through.push(one.ms);
    await until('its pod is known', () => connected(pods) !== undefined);
    const other = await open(connected(pods) ?? '', 9000, '/');
    direct.push(other.ms);
    for (const { socket } of [one, other]) socket.destroy();
  }
  return { through, direct };
}

async function singles(proxy: NodeProxy, pods: PodWatch): Promise<void> {
  const runs: Awaited<ReturnType<typeof single>>[] = [];
  while (runs.length < RUNS) runs.push(await single(proxy, pods));
  const added = runs.map(({ through, direct }) => through.map((ms, i) => ms - (direct[i] ?? 0)));
  console.log(`${SINGLE} connections one after another, ms from the TCP connect to the 101: the median of ${RUNS} runs`);
  printTable([
    HEAD,
    row(
      'warm, through the proxy',
      runs.map(({ through }) => through),
    ),
    row(
      'directly to the same pod',
      runs.map(({ direct }) => direct),
    ),
    row('what the proxy adds, pair by pair', added),
  ]);
  console.log(`what it adds at p50 in each run: ${added.map((values) => median(values).toFixed(2)).join(', ')}`);
}

/** The address of the pod that has a connection. */
function connected(pods: PodWatch): string | undefined {
  return [...pods.pods.values()].find(({ metadata }) => metadata?.labels?.['socketpod.dev/state'] === 'connected')?.status?.podIP;
}

async function burst(proxy: NodeProxy, pods: PodWatch): Promise<void> {
  const begun = performance.now();
  await until('all warm pods are there', () => warm(pods, 'burst') === BURST, 300_000);
  console.log(`${BURST} warm pods after ${((performance.now() - begun) / 1000).toFixed(1)} s`);
  const opened = await Promise.all(Array.from({ length: BURST }, () => open('127.0.0.1', proxy.port, '/default/burst')));
  await until(
    'all are told',
    () => proxy.lines.filter(({ message, function: fn }) => message === 'open' && fn === 'default/burst').length === BURST,
  );
  const starts = proxy.lines.filter(
    ({ message, function: fn, start }) => message === 'open' && fn === 'default/burst' && start === 'warm',
  ).length;
  console.log(`a burst of ${BURST} connections: ${opened.length} opened, ${starts} of them warm`);
  printTable([HEAD, row('accept to 101 in the burst', [opened.map(({ ms }) => ms)])]);
  for (const { socket } of opened) socket.destroy();
}

await installCrd();
const pods = await watchPods('default');
const proxy = await startNodeProxy();
applyAll('default', [functionObject('single', {}, { warmPods: 5 })]);
await singles(proxy, pods);
applyAll('default', [
  functionObject('single', {}, { warmPods: 0 }),
  functionObject('burst', {}, { warmPods: BURST, maxConnections: 2 * BURST }),
]);
await burst(proxy, pods);
await proxy.stop();
await pods.stop();
