// The same with a pod for each connection, on a real node: no pod is left.
import type { Socket } from 'node:net';
import { expect, it, onTestFinished } from 'vitest';
import { samples } from '../support/metrics.ts';
import { functionObject, installCrd, kubectl, type LogLine, makeNamespace, startNodeProxy, watchPods } from '../support/node.ts';
import { until } from '../support/ports.ts';
import { chaosSeed, faults, playClients, type Recorded } from './run.ts';

const NAMESPACE = 'chaos';
const CONNECTIONS = 100;
const FAST = { maxMessagesPerSecond: 640, maxBytesPerSecond: 8_388_608 };
const SHORT = { initTimeoutSeconds: 3 };

/** Functions of fn.c by name: how often clients go there, its options, its spec. */
const FUNCTIONS: Readonly<Record<string, readonly [weight: number, args: string[], spec: object]>> = {
  fn: [12, [], FAST],
  small: [2, [], { maxMessageBytes: 2000, onRateExceeded: 'Close' }],
  full: [2, [], { maxConnections: 1 }],
  off: [1, [], { maxConnections: 0 }],
  drops: [1, ['--answer', 'drop'], {}],
  garbles: [1, ['--answer', 'garbage'], {}],
  refuses: [1, ['--answer', '403'], {}],
  fails: [1, ['--answer', '500'], {}],
  silent: [1, ['--answer', 'silence'], SHORT],
  never: [1, ['--never'], SHORT],
  exits: [1, ['--exit', '3'], {}],
};

/** What fn obeys; most of it ends the connection in some way. */
const TEXTS = ['exit 0', 'exit 3', 'kill', 'drop', 'reset', 'close 1000', 'close 4000', 'close 1006', 'deaf', 'stall'].concat([
  'send 5000',
  'send 300000',
  'hostname',
  'raw 8302',
  'raw 8100',
  'raw 8001',
]);

it('leaves no pod, whatever clients and functions do', { timeout: 180_000 }, async () => {
  const seed = chaosSeed();
  await installCrd();
  await makeNamespace(NAMESPACE);
  const items = Object.entries(FUNCTIONS).map(([name, [, args, spec]]) => functionObject(name, { args }, spec));
  kubectl(['apply', '-n', NAMESPACE, '-f', '-'], { apiVersion: 'v1', kind: 'List', items });
  const sockets = new Set<Socket>();
  const pods = await watchPods(NAMESPACE);
  const proxy = await startNodeProxy();
  onTestFinished(async () => {
    for (const socket of sockets) socket.destroy();
    await proxy.stop();
    await pods.stop();
  });
  await Promise.all(Object.keys(FUNCTIONS).map((name) => proxy.serves(`${NAMESPACE}/${name}`)));

  const paths = Object.entries(FUNCTIONS).flatMap(([name, [weight]]) => Array<string>(weight).fill(`/${NAMESPACE}/${name}`));
  const begun = performance.now();
  const scene = { paths, texts: TEXTS };
  const played = await playClients({ port: proxy.port, scene, seed, connections: CONNECTIONS, atOnce: 10, hangsMs: 60_000 }, sockets);
  const ended = () => proxy.lines.filter(({ message }) => message === 'end') as (LogLine & Recorded)[];
  await until('all have ended', () => ended().length >= played.reduce((sum, { script }) => sum + script.ends, 0), 30_000);
  await pods.none();
  console.log(
    `${CONNECTIONS} connections in ${(performance.now() - begun).toFixed(0)} ms: ${ended()
      .map(({ reason }) => reason)
      .sort()
      .join(' ')}`,
  );
  expect(faults(played, { records: ended() })).toEqual([]);
  const counted = samples(await (await fetch(`http://127.0.0.1:${proxy.adminPort}/metrics`)).text());
  const sum = (name: string) => [...counted].reduce((all, [series, value]) => (series.startsWith(name) ? all + value : all), 0);
  expect(sum('socketpod_connections_total{'), 'each end is counted once').toBe(ended().length);
  const gauges = ['socketpod_open_connections', 'socketpod_pending_connections', 'socketpod_pods{', 'socketpod_pending_deletes'];
  expect(gauges.map(sum)).toEqual([0, 0, 0, 0]);
  expect(await proxy.stop()).toBe(0);
  expect(pods.pods.size).toBe(0);
});
