// `socketpod dev --attach` as a user starts it, with one function on every path, between bare sockets on both sides.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, expect } from 'vitest';
import { certificateFor, writePair } from './certificates.ts';
import { type Dev, startDev } from './dev.ts';
import { type RawBackend, type RawPeer, rawBackend, rawConnect, SWITCHING, tlsConnect, upgradeHead } from './raw-client.ts';

const FUNCTION = `
apiVersion: socketpod.dev/v1alpha1
kind: WebSocketFunction
metadata: { name: everything }
spec:
  route: { hosts: [proxy.example], paths: [/] }
  maxMessageBytes: 16777216
  maxBytesPerSecond: 8388608
  maxMessagesPerSecond: 640
  maxConnections: 2000
  template: { spec: { containers: [{ name: function }] } }
`;

/** What a test does with it. */
export interface Attached {
  readonly dev: Dev;
  readonly backend: RawBackend;
  readonly clients: readonly RawPeer[];
  /** Connects a client and sends nothing. */
  connect(): Promise<RawPeer>;
  /** Sends a head and gives both ends: the client's, and the backend's that it reached. */
  request(head: string | Buffer): Promise<[client: RawPeer, fn: RawPeer]>;
  /** The same, with a handshake that is answered. */
  open(lines?: readonly string[]): Promise<[client: RawPeer, fn: RawPeer]>;
  /** Sends from one side and expects the same bytes on the other. */
  passes(from: RawPeer, to: RawPeer, bytes: Buffer): Promise<void>;
}

/**
 * Starts `dev` before the tests of a file and stops it after them.
 * @param options tls: between the clients and `dev`
 */
export function attachedDev({ tls = false, ...options }: { readonly tls?: boolean; readonly probed?: boolean } = {}): Attached {
  const clients: RawPeer[] = [];
  let folder: string;
  let backend: RawBackend;
  let dev: Dev;

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'socketpod-'));
    writeFileSync(join(folder, 'everything.yaml'), FUNCTION);
    backend = await rawBackend();
    const { cert, key } = writePair(folder, 'tls', await certificateFor('proxy.example'));
    const ports = tls ? ['--listen', 'off', '--tls-listen', '127.0.0.1:0', '--tls-cert', cert, '--tls-key', key] : [];
    dev = await startDev(['-f', folder, '--attach', `127.0.0.1:${backend.port}`, ...ports], options);
  });
  afterEach(() => {
    for (const { socket } of [...clients.splice(0), ...backend.peers]) socket.destroy();
  });
  afterAll(async () => {
    expect(await dev.stop()).toBe(0);
    await backend.stop();
    rmSync(folder, { recursive: true });
  });

  async function connect(): Promise<RawPeer> {
    const client = await (tls ? tlsConnect(dev.tlsPort) : rawConnect(dev.port));
    clients.push(client);
    return client;
  }
  async function request(head: string | Buffer): Promise<[RawPeer, RawPeer]> {
    const client = await connect();
    client.send(head);
    return [client, await backend.next()];
  }
  return {
    get dev() {
      return dev;
    },
    get backend() {
      return backend;
    },
    clients,
    connect,
    request,
    async open(lines = []) {
      const [client, fn] = await request(upgradeHead('/any/path', lines));
      await fn.head();
      fn.send(SWITCHING);
      expect(await client.head()).toContain(' 101 ');
      return [client, fn];
    },
    async passes(from, to, bytes) {
      from.send(bytes);
      expect((await to.take(bytes.length)).equals(bytes)).toBe(true);
    },
  };
}
