// Functions with access rules behind a proxy, what a client gets from it, and what the function saw of the client's request.
import { afterAll, beforeAll } from 'vitest';
import { WebSocketServer } from 'ws';
import type { CompleteSpec } from '../../src/api/types.ts';
import type { ConnectionRecord } from '../../src/proxy/record.ts';
import { attachRuntime } from '../../src/runtime/attach.ts';
import { until } from './ports.ts';
import { served, startProxy, type TestProxy } from './proxy.ts';
import { type RawPeer, rawConnect, upgradeHead } from './raw-client.ts';

/** The answer to an upgrade request, its record, and the request that the function got, if any. */
export interface Seen {
  readonly status: number;
  readonly head: string;
  readonly record: ConnectionRecord;
  readonly request: string | undefined;
}

/** The scene of a test file. */
export interface AccessScene {
  readonly proxy: TestProxy;
  /** Serves a function, or a new version of it; gives its path. */
  serve(name: string, part: Partial<CompleteSpec>): string;
  /** A client that has sent an upgrade request. */
  ask(target: string, lines?: readonly string[]): Promise<RawPeer>;
  /** Sends an upgrade request, reads the answer, leaves. */
  see(target: string, lines?: readonly string[]): Promise<Seen>;
  /** As `see`, with this token in a header. */
  bearer(target: string, token: string): Promise<Seen>;
}

/** Sets the scene for a file's tests. */
export function accessScene(): AccessScene {
  const requests = new Map<string, string>();
  const backend = new WebSocketServer({ port: 0, host: '127.0.0.1' });
  let proxy: TestProxy;
  backend.on('connection', (socket, request) => {
    const { rawHeaders, url } = request;
    requests.set(String(request.headers['x-request-id']), `${url}\n${rawHeaders.join('\n')}`);
    socket.on('message', (data) => socket.send(data, { binary: false }));
  });

  beforeAll(async () => {
    await until('the function listens', () => backend.address() !== null);
    proxy = await startProxy(attachRuntime('127.0.0.1', (backend.address() as { port: number }).port), []);
  });
  afterAll(async () => {
    await proxy.stop();
    await new Promise((resolve) => backend.close(resolve));
  });

  async function ask(target: string, lines: readonly string[] = []): Promise<RawPeer> {
    const client = await rawConnect(proxy.port);
    client.send(upgradeHead(target, lines));
    return client;
  }

  async function see(target: string, lines: readonly string[] = []): Promise<Seen> {
    const client = await ask(target, lines);
    const head = await client.head();
    client.socket.destroy();
    const id = /X-Request-Id: (\S+)/.exec(head)?.[1] ?? '';
    const find = () => proxy.records.filter((record) => record.id === id);
    await until('its end is recorded', () => find().length > 0);
    const [record, second] = find();
    if (!record || second) throw new Error('not one record');
    return { status: Number(head.split(' ')[1]), head, record, request: requests.get(id) };
  }

  return {
    get proxy() {
      return proxy;
    },
    serve(name, part) {
      proxy.services.functions.set(served(name, part, { uid: `uid-of-${name}` }));
      return `/test/${name}`;
    },
    ask,
    see,
    bearer: (target, token) => see(target, [`Authorization: Bearer ${token}`]),
  };
}
