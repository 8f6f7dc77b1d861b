// Clients that begin and never go on, and what a good client feels of them: the same for every listener and every kind of first bytes.
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { connect, createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect as connectTls } from 'node:tls';
import { startDev } from '../support/dev.ts';
import type { Memory } from '../support/memory-probe.ts';
import { listenAnywhere, until } from '../support/ports.ts';
import { SWITCHING, upgradeHead } from '../support/raw-client.ts';

const WAVES = 8;
const OPENS = 20;

/** How a client stalls, and how a good one gets through. */
export interface Stalling {
  /** Arguments of `dev` beside the usual ones. */
  readonly args?: readonly string[];
  /** The field of the event `listening` with the address; default: that of the plain listener. */
  readonly address?: string;
  readonly firstBytes: Buffer;
  /** A connection on which a good client can speak HTTP; default: TCP. */
  readonly dial?: (port: number) => Promise<Socket>;
}

/** Half a handshake. */
export const HALF_OPEN: Stalling = { firstBytes: Buffer.from(upgradeHead('/').slice(0, -2)) };

/** Half a client hello of TLS, against a listener with this certificate (PEM files). */
export function halfHello(cert: string, key: string): Stalling {
  return {
    args: ['--tls-listen', '127.0.0.1:0', '--tls-cert', cert, '--tls-key', key],
    address: 'tls',
    firstBytes: Buffer.from('\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03', 'latin1'),
    async dial(port) {
      const socket = connectTls({ port, host: '127.0.0.1', rejectUnauthorized: false });
      await once(socket, 'secureConnect');
      return socket;
    },
  };
}

/** What came of it; times in ms. */
export interface Figures {
  /** Medians of 20 opens one after another. */
  readonly before: number;
  readonly during: number;
  readonly slowest: number;
  /** Stalled connections that were still there after them. */
  readonly there: number;
  readonly memory: { readonly before: Memory; readonly during: Memory; readonly after: Memory };
}

/** Starts `dev`, opens 20 good connections, and 20 more beside this many that stall; then these go. */
export async function stall(count: number, { args = [], address = 'address', firstBytes, dial = plainDial }: Stalling): Promise<Figures> {
  const folder = mkdtempSync(join(tmpdir(), 'socketpod-'));
  writeFileSync(join(folder, 'everything.yaml'), FUNCTION);
  const backend = createServer((socket) => {
    socket.on('error', () => {}).once('data', () => void socket.write(SWITCHING));
  });
  const dev = await startDev(['-f', folder, '--attach', `127.0.0.1:${await listenAnywhere(backend)}`, ...args], { probed: true });
  const listening = await dev.event('listening');
  const port = Number(String(listening[address]).split(':').at(-1));
  const stalled: Socket[] = [];
  try {
    await opens(port, dial); // the code is compiled, and pools are there
    const memory = { before: await dev.memory() };
    const { median: before } = await opens(port, dial);
    for (let wave = 0; wave < WAVES; wave++) {
      const sockets = Array.from({ length: count / WAVES }, () => connect(port, '127.0.0.1').on('error', () => {}));
      stalled.push(...sockets);
      await Promise.all(sockets.map((socket) => once(socket, 'connect')));
      for (const socket of sockets) socket.resume().write(firstBytes);
    }
    const { median: during, slowest } = await opens(port, dial);
    const there = stalled.filter((socket) => socket.readable && socket.bytesRead === 0).length;
    const whileThere = await dev.memory();
    for (const socket of stalled) socket.destroy();
    let after = whileThere;
    await until(
      'the memory is given back',
      async () => {
        after = await dev.memory();
        return after.held - memory.before.held < GIVEN_BACK;
      },
      20_000,
    );
    return { before, during, slowest, there, memory: { ...memory, during: whileThere, after } };
  } finally {
    for (const socket of stalled) socket.destroy();
    await dev.stop();
    backend.close();
    rmSync(folder, { recursive: true });
  }
}

/** What may be left: room that tables and pools keep, in bytes. */
const GIVEN_BACK = 3 * 2 ** 20;

const FUNCTION = `
apiVersion: socketpod.dev/v1alpha1
kind: WebSocketFunction
metadata: { name: everything }
spec:
  route: { hosts: [proxy.example], paths: [/] }
  template: { spec: { containers: [{ name: function }] } }
`;

async function plainDial(port: number): Promise<Socket> {
  const socket = connect({ port, host: '127.0.0.1', noDelay: true });
  await once(socket, 'connect');
  return socket;
}

/** From the first packet of a good client to its 101, several times. */
async function opens(port: number, dial: (port: number) => Promise<Socket>): Promise<{ median: number; slowest: number }> {
  const times: number[] = [];
  for (let i = 0; i < OPENS; i++) {
    const begun = performance.now();
    const socket = await dial(port);
    socket.write(upgradeHead('/'));
    const [answer] = await once(socket, 'data');
    times.push(performance.now() - begun);
    if (!String(answer).startsWith('HTTP/1.1 101 ')) throw new Error(`no 101: ${answer}`);
    socket.destroy();
    await once(socket, 'close');
  }
  times.sort((a, b) => a - b);
  return { median: times[OPENS / 2] ?? 0, slowest: times.at(-1) ?? 0 };
}
