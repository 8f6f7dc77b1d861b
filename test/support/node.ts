// Inside a whole node: the proxy as its operator starts it, functions by kubectl, and an independent watch that counts pods.
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { V1Pod } from '@kubernetes/client-node';
import { WebSocket } from 'ws';
import { connectKube } from '../../src/kube/client.ts';
import { Watch } from '../../src/kube/watch.ts';
import { kubectl as run } from './cluster.ts';
import { until } from './ports.ts';

const MAIN = join(import.meta.dirname, '..', '..', 'src', 'main.ts');
const KUBECONFIG = process.env.KUBECONFIG ?? '';

/** kubectl on the cluster that the tests run in. */
export function kubectl(args: readonly string[], input?: string | object): string {
  return run(KUBECONFIG, args, typeof input === 'object' ? JSON.stringify(input) : input);
}

/** A WebSocketFunction with this container, as an object. */
export function functionObject(name: string, container: object, spec: object = {}, pod: object = {}): object {
  return {
    apiVersion: 'socketpod.dev/v1alpha1',
    kind: 'WebSocketFunction',
    metadata: { name },
    spec: {
      ...spec,
      template: {
        spec: { containers: [{ name: 'function', image: 'localhost/fn:1', imagePullPolicy: 'IfNotPresent', ...container }], ...pod },
      },
    },
  };
}

/** Installs the definition, and deletes the functions that files before this one left: the proxies of a test serve all there are. */
export async function installCrd(): Promise<void> {
  kubectl(['apply', '-f', 'crds/']);
  await until(
    'the definition is served',
    () => {
      try {
        kubectl(['delete', 'wsf', '-A', '--all']);
        return true;
      } catch {
        return false;
      }
    },
    20_000,
  );
}

/** Makes a namespace, and waits until pods can be made in it. */
export async function makeNamespace(name: string): Promise<void> {
  kubectl(['create', 'namespace', name]);
  await until('the namespace has its service account', () =>
    kubectl(['get', 'serviceaccount', '-n', name, '-o', 'name']).includes('default'),
  );
}

/** Creates or changes these objects in a namespace. */
export function applyAll(namespace: string, items: readonly object[]): void {
  kubectl(['apply', '-n', namespace, '-f', '-'], { apiVersion: 'v1', kind: 'List', items });
}

/** Evicts a pod, as the drain of a node does. */
export function evict(namespace: string, pod: string): void {
  kubectl(['create', '--raw', `/api/v1/namespaces/${namespace}/pods/${pod}/eviction`, '-f', '-'], {
    apiVersion: 'policy/v1',
    kind: 'Eviction',
    metadata: { name: pod, namespace },
  });
}

/** A line of the proxy's log. */
export type LogLine = { readonly message: string } & Record<string, unknown>;

/** A running `socketpod proxy`. */
export interface NodeProxy {
  readonly child: ChildProcess;
  readonly port: number;
  readonly adminPort: number;
  readonly lines: LogLine[];
  /** The record of the end of a connection to this function. */
  end(fn: string, count?: number): Promise<LogLine>;
  /** Waits until the proxy serves this function. */
  serves(fn: string): Promise<void>;
  stop(): Promise<number | null>;
}

/** Starts `socketpod proxy` on a free port. */
export async function startNodeProxy(args: readonly string[] = []): Promise<NodeProxy> {
  const child = spawn(
    process.execPath,
    [MAIN, 'proxy', '--listen', '127.0.0.1:0', '--admin', '127.0.0.1:0', '--drain-delay', '0', '--drain-time', '0', ...args],
    {
      stdio: ['ignore', 'pipe', 'inherit'],
    },
  );
  const lines: LogLine[] = [];
  createInterface({ input: child.stdout }).on('line', (line) => lines.push(JSON.parse(line)));
  const found = async (what: string, fits: (line: LogLine) => boolean, count = 1) => {
    await until(what, () => lines.filter(fits).length >= count || child.exitCode !== null, 120_000);
    const line = lines.filter(fits)[count - 1];
    if (!line) throw new Error(`the proxy ended before ${what}`);
    return line;
  };
  const { port, admin } = await found('the proxy listens', ({ message }) => message === 'listening');
  return {
    child,
    port: Number(port),
    adminPort: Number(admin),
    lines,
    end: (fn, count = 1) => found(`a connection of ${fn} has ended`, (line) => line.message === 'end' && line.function === fn, count),
    serves: async (fn) => void (await found(`${fn} is served`, (line) => line.message === 'function' && line.function === fn)),
    async stop() {
      if (child.exitCode !== null || child.signalCode !== null) return child.exitCode;
      child.kill('SIGTERM');
      await once(child, 'exit');
      return child.exitCode;
    },
  };
}

/** What became of an upgrade: open, or the refusal. */
export type Opened =
  | { readonly socket: WebSocket; readonly headers: NodeJS.Dict<string | string[]> }
  | { readonly status: number; readonly code: number; readonly headers: NodeJS.Dict<string>; readonly body: string };

/** Opens a WebSocket with 60 s of patience, or reads the refusal. */
export function openSocket(url: string, protocols: string[] = [], options: WebSocket.ClientOptions = {}): Promise<Opened> {
  return new Promise((resolve, reject) => {
    const socket = new WebSocket(url, protocols, { handshakeTimeout: 60_000, ...options });
    let headers: NodeJS.Dict<string | string[]> = {};
    socket.on('upgrade', (response) => {
      headers = response.headers;
    });
    socket.on('open', () => resolve({ socket, headers }));
    socket.on('error', reject);
    socket.on('unexpected-response', (_request, response) => {
      let body = '';
      response.setEncoding('utf8').on('data', (text) => {
        body += text;
      });
      const { statusCode: status = 0 } = response;
      const headers = response.headers as NodeJS.Dict<string>; // lists are Set-Cookie's alone
      response.on('end', () => resolve({ status, code: Number(headers['x-socketpod-status']), headers, body }));
    });
  });
}

/** A socket that must open. */
export async function mustOpen(
  url: string,
  protocols: string[] = [],
  options: WebSocket.ClientOptions = {},
): Promise<{ socket: WebSocket; headers: NodeJS.Dict<string | string[]> }> {
  const opened = await openSocket(url, protocols, options);
  if ('socket' in opened) return opened;
  throw new Error(`refused: ${opened.status} ${opened.body}`);
}

/** Sends a text and gives the next message. */
export async function ask(socket: WebSocket, text: string): Promise<string> {
  const answer = once(socket, 'message');
  socket.send(text);
  return String((await answer)[0]);
}

/** An independent look at all pods of a namespace: what is there, and when each deletion was seen, by name. */
export interface PodWatch {
  readonly pods: Map<string, V1Pod>;
  readonly deletedAt: Map<string, number>;
  none(ms?: number): Promise<void>;
  stop(): Promise<void>;
}

/** Starts that watch. */
export async function watchPods(namespace: string): Promise<PodWatch> {
  const client = connectKube(KUBECONFIG);
  const deletedAt = new Map<string, number>();
  const note = (pod: V1Pod) => {
    const id = pod.metadata?.labels?.['socketpod.dev/request-id'] ?? '';
    if (pod.metadata?.deletionTimestamp && !deletedAt.has(id)) deletedAt.set(id, performance.now());
  };
  const watch = new Watch<V1Pod>(client, { path: `/api/v1/namespaces/${namespace}/pods`, set: note, gone: note, fault: () => {} });
  await watch.start();
  return {
    pods: watch.objects,
    deletedAt,
    none: (ms = 30_000) => until('all pods are gone', () => watch.objects.size === 0, ms),
    async stop() {
      watch.stop();
      await client.close();
    },
  };
}
