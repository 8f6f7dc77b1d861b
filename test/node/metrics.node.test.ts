// What a real Prometheus sees of a real `socketpod proxy`: a run that passes each limit exactly once, and the pods and calls behind it.
import { once } from 'node:events';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { WebSocket } from 'ws';
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
import { type Prometheus, promtoolCheck, type Sample, startPrometheus } from '../support/prometheus.ts';

const NAMESPACE = 'metrics';
/** Frames of any kind that a client may send here in a second. */
const FRAMES = 50;

/** A function that passes one limit once. */
interface Row {
  readonly name: string;
  readonly spec: object;
  /** What its client does once it is open. */
  act?(socket: WebSocket): unknown;
  readonly violation: `${string} ${number} ${'close' | 'throttle' | 'refuse'}`;
  /** How its connections ended: `code reason`. */
  readonly ends: readonly string[];
}

const sizes = (socket: WebSocket, ...all: number[]) => {
  for (const size of all) socket.send(Buffer.alloc(size));
};
/** Sends what is too much, and closes once all of it has come back. */
const throttled = async (socket: WebSocket, ...all: number[]) => {
  let echoes = 0;
  const echoed = new Promise<void>((resolve) => socket.on('message', () => void (++echoes === all.length && resolve())));
  sizes(socket, ...all);
  await echoed;
  socket.close(1000);
};

const BYTES = { maxBytesPerSecond: 1000, maxMessageBytes: 1000, maxMessagesPerSecond: 100 };
const ROWS: readonly Row[] = [
  {
    name: 'up',
    spec: { maxMessageBytes: 1000 },
    act: (socket) => sizes(socket, 1001),
    violation: 'message_size_up 406 close',
    ends: ['406 request_too_large'],
  },
  {
    name: 'down',
    spec: { maxMessageBytes: 1000 },
    act: (socket) => socket.send('send 1001'),
    violation: 'message_size_down 407 close',
    ends: ['407 response_too_large'],
  },
  {
    name: 'bytes-close',
    spec: { ...BYTES, onRateExceeded: 'Close' },
    act: (socket) => sizes(socket, 800, 800),
    violation: 'bytes_per_second 429 close',
    ends: ['429 rate_exceeded'],
  },
  {
    name: 'bytes-throttle',
    spec: BYTES,
    act: (socket) => throttled(socket, 800, 800),
    violation: 'bytes_per_second 429 throttle',
    ends: ['200 normal_closure'],
  },
  {
    name: 'messages-close',
    spec: { maxMessagesPerSecond: 2, onRateExceeded: 'Close' },
    act: (socket) => sizes(socket, 1, 1, 1),
    violation: 'messages_per_second 429 close',
    ends: ['429 rate_exceeded'],
  },
  {
    name: 'messages-throttle',
    spec: { maxMessagesPerSecond: 2 },
    act: (socket) => throttled(socket, 1, 1, 1),
    violation: 'messages_per_second 429 throttle',
    ends: ['200 normal_closure'],
  },
  {
    name: 'frames',
    spec: {},
    act: (socket) => {
      for (let i = 0; i < 2 * FRAMES; i++) socket.ping();
    },
    violation: 'frames_per_second 429 close',
    ends: ['429 frame_rate_exceeded'],
  },
  { name: 'idle', spec: { idleTimeoutSeconds: 10 }, violation: 'idle_timeout 455 close', ends: ['455 idle_timeout'] },
  {
    name: 'execution',
    spec: { idleTimeoutSeconds: 10, executionTimeoutSeconds: 10 },
    act: (socket) => sizes(socket, 1), // from here on its idle limit is the later one
    violation: 'execution_timeout 433 close',
    ends: ['433 execution_timeout'],
  },
  {
    name: 'connections',
    spec: { maxConnections: 1 },
    async act(socket) {
      expect(await openSocket(urlOf('connections'))).toMatchObject({ status: 429, code: 432 });
      socket.close(1000);
    },
    violation: 'max_connections 432 refuse',
    ends: ['200 normal_closure', '432 max_connections'],
  },
];

/** Those that are open for 10 s. */
const LONG = ['idle', 'execution'];

let proxy: NodeProxy;
let pods: PodWatch;
let prometheus: Prometheus;

beforeAll(async () => {
  await installCrd();
  await makeNamespace(NAMESPACE);
  applyAll(
    NAMESPACE,
    ROWS.map(({ name, spec }) => functionObject(name, {}, spec)),
  );
  pods = await watchPods(NAMESPACE);
  proxy = await startNodeProxy(['--max-frames-per-second', String(FRAMES)]);
  await Promise.all(ROWS.map(({ name }) => proxy.serves(`${NAMESPACE}/${name}`)));
  prometheus = await startPrometheus([`127.0.0.1:${proxy.adminPort}`]);
}, 90_000);

afterAll(async () => {
  await prometheus?.stop();
  await pods?.none(60_000);
  await pods?.stop();
  expect(await proxy?.stop()).toBe(0);
}, 90_000);

function urlOf(name: string): string {
  return `ws://127.0.0.1:${proxy.port}/${NAMESPACE}/${name}`;
}

/** Opens a row's connection, lets it pass its limit, and waits for its end. */
async function play({ name, act }: Row): Promise<void> {
  const { socket } = await mustOpen(urlOf(name));
  const closed = once(socket, 'close');
  await act?.(socket);
  await closed;
}

const value = async (expression: string) => (await prometheus.query(expression))[0]?.value;

/** Waits until an expression has this value. */
const becomes = (expression: string, expected: number) =>
  until(`${expression} is ${expected}`, async () => (await value(expression)) === expected, 30_000);

/** Each function's samples of an expression, as `function words value`. */
async function told(expression: string, words: (labels: Sample['labels']) => string): Promise<string[]> {
  return (await prometheus.query(expression)).map((one) => `${one.labels.function}: ${words(one.labels)} ${one.value}`).sort();
}

const secondsSince1970 = () => Date.now() / 1000;

describe('Prometheus', () => {
  it('sees every limit that was passed, once each, and how the connections ended', { timeout: 120_000 }, async () => {
    await Promise.all(ROWS.map(play));
    await becomes('sum(socketpod_connections_total)', ROWS.flatMap(({ ends }) => ends).length);
    expect(await told('socketpod_limit_violations_total > 0', ({ limit, code, action }) => `${limit} ${code} ${action}`)).toEqual(
      ROWS.map(({ name, violation }) => `${name}: ${violation} 1`).sort(),
    );
    expect(await told('socketpod_connections_total > 0', ({ code, reason }) => `${code} ${reason}`)).toEqual(
      ROWS.flatMap(({ name, ends }) => ends.map((end) => `${name}: ${end} 1`)).sort(),
    );
    expect(await value('sum(socketpod_throttled_seconds_total{function=~".*-throttle"})')).toBeGreaterThan(0.5);
  });

  it('saw each that was open for longer than a scrape, and its pod', async () => {
    const most = (series: string) => told(`max_over_time(${series}[5m])`, () => 'at most');
    const each = LONG.map((name) => `${name}: at most 1`).sort();
    expect(await most(`socketpod_open_connections{function=~"${LONG.join('|')}"}`)).toEqual(each);
    expect(await most(`socketpod_pods{state="connected",function=~"${LONG.join('|')}"}`)).toEqual(each);
    await becomes('sum(socketpod_open_connections)', 0);
    expect(await value('sum(socketpod_pending_connections)')).toBe(0);
  });

  it('sees the pods behind them: started, lived, gone', async () => {
    await pods.none();
    await becomes('sum(socketpod_pods)', 0);
    expect(await told('socketpod_pod_starts_total > 0', ({ start, result }) => `${start} ${result}`)).toEqual(
      ROWS.map(({ name }) => `${name}: cold ready 1`).sort(),
    );
    const lives = await prometheus.query('socketpod_pod_seconds_total > 0');
    expect(lives).toHaveLength(ROWS.length);
    for (const { labels, value } of lives) {
      expect(value, labels.function).toBeGreaterThan(LONG.includes(labels.function ?? '') ? 10 : 0);
      expect(value, labels.function).toBeLessThan(60);
    }
    expect(await value('socketpod_pending_deletes')).toBe(0);
  });

  it('sees the calls and the watches of the API server', async () => {
    const calls = (verb: string, status: number) =>
      value(`socketpod_kube_requests_total{verb="${verb}",resource="pods",status_code="${status}"}`);
    await until('each call is counted', async () => (await calls('delete', 200)) === ROWS.length);
    expect([await calls('create', 201), await calls('patch', 200)]).toEqual([ROWS.length, ROWS.length]);
    expect(await prometheus.query('socketpod_kube_requests_total{status_code!~"20[01]"}')).toEqual([]);
    for (const resource of ['pods', 'websocketfunctions']) {
      const since = (await value(`socketpod_watch_last_event_timestamp_seconds{resource="${resource}"}`)) ?? 0;
      expect(secondsSince1970() - since, resource).toBeLessThan(120); // a bookmark comes each minute
      expect(secondsSince1970() - since, resource).toBeGreaterThanOrEqual(0);
    }
  });

  it('sees nothing of functions that are deleted', async () => {
    const text = await (await fetch(`http://127.0.0.1:${proxy.adminPort}/metrics`)).text();
    expect(promtoolCheck(text)).toBe('');
    expect(text).toContain(`function_namespace="${NAMESPACE}"`);
    expect((await prometheus.query(`{function_namespace="${NAMESPACE}"}`)).length).toBeGreaterThan(100);
    kubectl(['delete', 'wsf', '-n', NAMESPACE, '--all']);
    await until('no series of theirs is left', async () => (await prometheus.query(`{function_namespace="${NAMESPACE}"}`)).length === 0);
    const left = await (await fetch(`http://127.0.0.1:${proxy.adminPort}/metrics`)).text();
    expect(left).not.toContain(`function_namespace="${NAMESPACE}"`);
    expect(promtoolCheck(left)).toBe('');
    expect(await value('up')).toBe(1);
  });
});
