// The ends whose cause shows only after the socket dropped are recorded rightly every time, several at once.
import { once } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { WebSocket } from 'ws';
import { connectKube, type KubeClient } from '../../src/kube/client.ts';
import {
  functionObject,
  installCrd,
  kubectl,
  type LogLine,
  makeNamespace,
  mustOpen,
  type NodeProxy,
  type PodWatch,
  startNodeProxy,
  watchPods,
} from '../support/node.ts';
import { until } from '../support/ports.ts';

const NAMESPACE = 'causes';
const TIMES = 20;
/** Connections at a time. They end together, once all are open: a node that also starts pods may need more than 2 s to tell a cause. */
const BATCH = 5;

let proxy: NodeProxy;
let pods: PodWatch;
let client: KubeClient;

/** An open connection, and the name of its pod. */
interface Open {
  readonly socket: WebSocket;
  readonly pod: string;
}

interface Row {
  readonly name: string;
  readonly what: string;
  readonly container?: object;
  end(open: Open): unknown;
  readonly record: string;
  readonly close: string;
}

const podPath = (pod: string) => `/api/v1/namespaces/${NAMESPACE}/pods/${pod}`;

/** kill -9 of the process of a pod, from its node. */
function killProcess(pod: string): void {
  const pids = readdirSync('/proc').filter((pid) => {
    try {
      return /^[0-9]+$/.test(pid) && readFileSync(`/proc/${pid}/environ`, 'latin1').split('\0').includes(`HOSTNAME=${pod}`);
    } catch {
      return false; // gone meanwhile
    }
  });
  if (pids.length !== 1) throw new Error(`${pids.length} processes of ${pod}`);
  process.kill(Number(pids[0]), 'SIGKILL');
}

const DROPPED = '1011 439 function exited';
const ROWS: readonly Row[] = [
  {
    name: 'memory',
    what: 'the container is killed for memory',
    container: { resources: { limits: { memory: '32Mi' } } },
    end: ({ socket }) => socket.send('eat 200'),
    record: '434 memory_limit',
    close: DROPPED,
  },
  { name: 'exit', what: 'exit 7', end: ({ socket }) => socket.send('exit 7'), record: '439 function_exited', close: DROPPED },
  { name: 'kill', what: 'kill -9', end: ({ pod }) => killProcess(pod), record: '439 function_exited', close: DROPPED },
  {
    name: 'evicted',
    what: 'the pod is evicted',
    end: ({ pod }) =>
      client.call('POST', `${podPath(pod)}/eviction`, {
        body: { apiVersion: 'policy/v1', kind: 'Eviction', metadata: { name: pod, namespace: NAMESPACE } },
      }),
    record: '439 pod_evicted',
    close: '1012 439 pod evicted',
  },
  {
    name: 'deleted',
    what: 'the pod is deleted by somebody else',
    end: ({ pod }) => client.call('DELETE', podPath(pod)),
    record: '439 pod_deleted',
    close: DROPPED,
  },
  {
    name: 'now',
    what: 'the pod is deleted by somebody else, with the least grace',
    end: ({ pod }) => client.call('DELETE', podPath(pod), { query: { gracePeriodSeconds: '1' } }),
    record: '439 pod_deleted',
    close: DROPPED,
  },
  {
    name: 'drop',
    what: 'the function drops its socket and lives',
    end: ({ socket }) => socket.send('drop'),
    record: '439 function_dropped',
    close: DROPPED,
  },
];

beforeAll(async () => {
  await installCrd();
  await makeNamespace(NAMESPACE);
  const items = ROWS.map(({ name, container = {} }) => functionObject(name, container));
  kubectl(['apply', '-n', NAMESPACE, '-f', '-'], { apiVersion: 'v1', kind: 'List', items });
  client = connectKube(undefined);
  pods = await watchPods(NAMESPACE);
  proxy = await startNodeProxy();
  await Promise.all(ROWS.map(({ name }) => proxy.serves(`${NAMESPACE}/${name}`)));
}, 90_000);

afterAll(async () => {
  await pods?.none(60_000);
  await pods?.stop();
  await client?.close();
  expect(await proxy?.stop()).toBe(0);
}, 90_000);

/** An open connection; `closed` is all that the client is told: messages, close code and text. */
async function open(name: string): Promise<Open & { readonly closed: Promise<string> }> {
  const { socket, headers } = await mustOpen(`ws://127.0.0.1:${proxy.port}/${NAMESPACE}/${name}`);
  const podOf = () =>
    [...pods.pods.values()].find(({ metadata }) => metadata?.labels?.['socketpod.dev/request-id'] === headers['x-request-id']);
  const told: string[] = [];
  socket.on('message', (message) => told.push(String(message)));
  const closed = once(socket, 'close').then(([code, text]) => [...told, code, text].join(' '));
  await until('its pod is seen', () => podOf() !== undefined);
  return { socket, pod: podOf()?.metadata?.name ?? '', closed };
}

/** Opens that many connections, ends all of them, and gives what the clients were told. */
async function endTogether(name: string, count: number, end: Row['end']): Promise<string[]> {
  const connections = await Promise.all(Array.from({ length: count }, () => open(name)));
  await Promise.all(connections.map(end));
  return Promise.all(connections.map(({ closed }) => closed));
}

/** How many there are of each. */
function tally(values: readonly string[]): Record<string, number> {
  return Object.fromEntries([...new Set(values)].map((value) => [value, values.filter((one) => one === value).length]));
}

/** How long after its end a connection was recorded, in ms. */
function waited(end: LogLine): number {
  const opened = proxy.lines.find(({ message, id }) => message === 'open' && id === end.id);
  return Date.parse(String(end.time)) - Date.parse(String(opened?.time)) - Number(end.openMs);
}

describe(`${TIMES} times out of ${TIMES}`, () => {
  it.each(ROWS)('$record: $what', async ({ name, end, record, close }) => {
    const closes: string[] = [];
    while (closes.length < TIMES) {
      closes.push(...(await endTogether(name, BATCH, end)));
      await proxy.end(`${NAMESPACE}/${name}`, closes.length);
      await pods.none();
    }
    const ends = proxy.lines.filter(({ message, function: key }) => message === 'end' && key === `${NAMESPACE}/${name}`);
    console.log(`${name}: the cause was recorded ${Math.max(...ends.map(waited)).toFixed(0)} ms after the end at most`);
    const wrong = ends.filter(({ code, reason }) => `${code} ${reason}` !== record);
    expect([tally(ends.map(({ code, reason }) => `${code} ${reason}`)), tally(closes)], JSON.stringify(wrong)).toEqual([
      { [record]: TIMES },
      { [close]: TIMES },
    ]);
  });
});
