// A real Prometheus about real proxies and a real controller on the node: every series moves, every query of every panel has an
// answer, and so has every recording rule.
import { once } from 'node:events';
import { connect } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { RECORDING_RULES } from '../../charts/monitoring/recording.ts';
import { RULES } from '../../charts/monitoring/rules.ts';
import { type Definition, SERIES } from '../../src/metrics/definitions.ts';
import { type RunningController, startController } from '../support/controller.ts';
import {
  applyAll,
  functionObject,
  installCrd,
  kubectl,
  makeNamespace,
  mustOpen,
  type NodeProxy,
  openSocket,
  type PodWatch,
  startNodeProxy,
  watchPods,
} from '../support/node.ts';
import { until } from '../support/ports.ts';
import { type Prometheus, startPrometheus } from '../support/prometheus.ts';
import { panelQueries } from './queries.ts';

const NAMESPACE = 'panels';
/** The function that the dashboard of one function is asked about: all that can happen to one happens to it. */
const BUSY = 'busy';
const LIMITED = { resources: { limits: { memory: '16Mi' } } };
const FUNCTIONS = [
  functionObject(BUSY, LIMITED, { warmPods: 1, maxConnections: 3, maxMessagesPerSecond: 2 }),
  functionObject('left', LIMITED),
  functionObject('never', { ...LIMITED, args: ['--never'] }),
  functionObject('none', { ...LIMITED, image: 'localhost/none:1', imagePullPolicy: 'Never' }),
];

/** What needs more than a client: a watch that breaks, and moments too short for a scrape. */
const NOT_MOVED = ['socketpod_watch_restarts_total', 'socketpod_pending_deletes', 'socketpod_draining', 'socketpod_queue_depth'];
/** Ends of the clients: of a crowd, of one that leaves, of the strangers. */
const ENDS = { crowd: 4, leave: 1, strangers: 3 };

const QUERIES = panelQueries(({ functions }) => ({
  namespace: functions === 'one' ? NAMESPACE : '.*',
  function: functions === 'one' ? BUSY : '.*',
  range: '10m',
  rateInterval: '5m',
}));

let proxy: NodeProxy;
let crashing: NodeProxy;
let controller: RunningController;
let pods: PodWatch;
let prometheus: Prometheus;

const urlOf = (name: string, { port } = proxy) => `ws://127.0.0.1:${port}/${NAMESPACE}/${name}`;
const value = async (expression: string) => (await prometheus.query(expression))[0]?.value;
const answered = async (expression: string) => (await prometheus.query(expression)).some((one) => Number.isFinite(one.value));

/** Three clients of the busy function, one on its warm pod, and a fourth that is refused; they end in three ways. */
async function crowd(): Promise<void> {
  await until('there is a warm pod', () => podsOf(BUSY, 'warm').length === 1, 60_000);
  const sockets = await Promise.all([1, 2, 3].map(async () => (await mustOpen(urlOf(BUSY))).socket));
  const closed = sockets.map((socket) => once(socket, 'close'));
  const [throttled, large, crashed] = sockets;
  expect(await openSocket(urlOf(BUSY))).toMatchObject({ code: 432 });
  large?.send(Buffer.alloc(300_000));
  crashed?.send('exit 7');
  let echoes = 0;
  throttled?.on('message', () => void (++echoes === 6 && throttled.close(1000)));
  for (let i = 0; i < 6; i++) throttled?.send('x');
  await Promise.all(closed);
}

const podsOf = (name: string, state: string) =>
  [...pods.pods.values()].filter(
    ({ metadata }) => metadata?.labels?.['socketpod.dev/function'] === name && metadata.labels['socketpod.dev/state'] === state,
  );

/** A client that leaves while its pod starts, once a scrape has seen it wait. */
async function leave(): Promise<void> {
  const socket = new WebSocket(urlOf('never'));
  socket.on('error', () => {});
  await until('it is seen', async () => ((await value('socketpod_pending_connections{function="never"} > 0')) ?? 0) > 0, 30_000);
  socket.terminate();
}

/** What never becomes a connection. */
async function strangers(): Promise<void> {
  await expect(openSocket(urlOf('none'))).resolves.toMatchObject({ code: 444 });
  await expect(openSocket(urlOf('no-such'))).resolves.toMatchObject({ code: 435 });
  const socket = connect(proxy.port, '127.0.0.1', () => socket.end('no HTTP\r\n\r\n'));
  await once(socket.resume(), 'close');
}

/** A proxy dies with a connection, and the controller deletes its pods: warm ones too, which hold places under maxConnections. */
async function crash(): Promise<void> {
  const { socket } = await mustOpen(urlOf('left', crashing));
  socket.on('error', () => {});
  await until('its pod is known', () => podsOf('left', 'connected').length === 1);
  const id = podsOf('left', 'connected')[0]?.metadata?.labels?.['socketpod.dev/proxy'];
  const exit = once(crashing.child, 'exit');
  crashing.child.kill('SIGKILL');
  await exit;
  const left = () => [...pods.pods.values()].filter(({ metadata }) => metadata?.labels?.['socketpod.dev/proxy'] === id);
  await until('its pods are deleted', () => left().length === 0, 90_000);
}

beforeAll(async () => {
  await installCrd();
  await makeNamespace(NAMESPACE);
  applyAll(NAMESPACE, FUNCTIONS);
  pods = await watchPods(NAMESPACE);
  controller = await startController(process.env.KUBECONFIG ?? '');
  [proxy, crashing] = await Promise.all([startNodeProxy(), startNodeProxy()]);
  await Promise.all([BUSY, 'left', 'never', 'none'].map((name) => proxy.serves(`${NAMESPACE}/${name}`)));
  await crashing.serves(`${NAMESPACE}/left`);
  const targets = [proxy, crashing, controller].map(({ adminPort }) => `127.0.0.1:${adminPort}`);
  prometheus = await startPrometheus(
    targets,
    RULES.groups.map((group) => ({ ...group, interval: '1s' })),
  );
  await controller.leads();
  await crash();
  await Promise.all([crowd(), leave(), strangers()]);
  // A rate sees what came after the first sample of a series: the second of each.
  const seen = (count: number) => async () => ((await value('sum(socketpod_connections_total)')) ?? 0) >= count;
  const first = ENDS.crowd + ENDS.leave + ENDS.strangers;
  await until('the first ends are scraped', seen(first), 30_000);
  await Promise.all([crowd(), strangers()]);
  await until('the second ends are scraped', seen(first + ENDS.crowd + ENDS.strangers), 30_000);
}, 240_000);

afterAll(async () => {
  kubectl(['delete', 'wsf', '-n', NAMESPACE, '--all']);
  await pods?.none(60_000);
  await prometheus?.stop();
  await proxy?.stop();
  await controller?.stop();
  await pods?.stop();
}, 90_000);

describe('Prometheus on the node', () => {
  it('scrapes proxy and controller', async () => {
    const up = await prometheus.query('up == 1');
    expect(up.map(({ labels }) => labels.instance).sort()).toEqual(
      [proxy, controller].map(({ adminPort }) => `127.0.0.1:${adminPort}`).sort(),
    );
  });

  it.each(Object.keys(SERIES).filter((name) => !NOT_MOVED.includes(name)))('has seen %s move', async (name) => {
    const { type }: Definition = SERIES[name as keyof typeof SERIES];
    const series = type === 'histogram' ? `${name}_count` : name;
    expect(await prometheus.query(`max(max_over_time(${series}[10m])) > 0`)).toHaveLength(1);
  });

  it.each(QUERIES)('answers $where', async ({ expr }) => {
    await until(expr, () => answered(expr), 20_000);
  });

  it.each(RECORDING_RULES)('has recorded $scf', async ({ record }) => {
    const expr = `${record}{function_namespace="${NAMESPACE}",function="${BUSY}"}`;
    await until(expr, () => answered(expr), 20_000);
  });

  it('fires the alert on the pod that was left', async () => {
    await until('it fires', () => answered('ALERTS{alertname="SocketpodOrphanPods",alertstate="firing"}'), 20_000);
  });
});
