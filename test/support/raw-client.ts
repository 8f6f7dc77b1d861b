// A client and a backend on bare sockets: they send what a test says and keep what comes, so that both sides of the proxy can do
// what no proper WebSocket implementation would.
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';
import { type ConnectionOptions, connect as connectTls } from 'node:tls';
import { listenAnywhere, until } from './ports.ts';

const KEY = 'dGhlIHNhbXBsZSBub25jZQ==';
const ACCEPT = createHash('sha1').update(`${KEY}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`).digest('base64');

/** The 101 for the key that RawPeer clients send. */
export const SWITCHING = `HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${ACCEPT}\r\n\r\n`;

/** The head of an upgrade request with these lines in place of, or beside, the usual ones. */
export function upgradeHead(path = '/test/echo', lines: readonly string[] = [], without: readonly string[] = []): string {
  const usual = [
    'Host: proxy.example',
    'Connection: Upgrade',
    'Upgrade: websocket',
    'Sec-WebSocket-Version: 13',
    `Sec-WebSocket-Key: ${KEY}`,
  ];
  const kept = usual.filter((line) => !without.some((name) => line.toLowerCase().startsWith(`${name.toLowerCase()}:`)));
  return `${[`GET ${path} HTTP/1.1`, ...kept, ...lines].join('\r\n')}\r\n\r\n`;
}

/** One end of a TCP connection with all that came from the other. */
export class RawPeer {
  readonly socket: Socket;
  received = Buffer.alloc(0);
  ended = false;
  closed = false;
  /** The error that ended the socket, as in ECONNRESET. */
  error = '';

  constructor(socket: Socket) {
    this.socket = socket;
    socket.on('data', (chunk: Buffer) => {
      this.received = Buffer.concat([this.received, chunk]);
    });
    socket.on('end', () => {
      this.ended = true;
    });
    socket.on('close', () => {
      this.closed = true;
    });
    socket.on('error', (error: NodeJS.ErrnoException) => {
      this.error = error.code ?? error.message;
    });
  }

  send(bytes: string | Uint8Array): void {
    this.socket.write(typeof bytes === 'string' ? Buffer.from(bytes, 'latin1') : bytes);
  }

  /** Waits for a complete HTTP head; gives it, and leaves what follows in `received`. */
  async head(): Promise<string> {
    await until('a head has come', () => this.received.includes('\r\n\r\n') || this.closed);
    const end = this.received.indexOf('\r\n\r\n');
    const head = this.received.subarray(0, end < 0 ? undefined : end + 4).toString('latin1');
    this.received = this.received.subarray(head.length);
    return head;
  }

  /** Waits until exactly these bytes, or at least as many, have come, and takes them. */
  async take(count: number): Promise<Buffer> {
    await until(`${count} bytes have come (${this.received.length} have)`, () => this.received.length >= count || this.closed);
    const taken = this.received.subarray(0, count);
    this.received = this.received.subarray(count);
    return taken;
  }

  /** The other end has sent its FIN or reset the connection. */
  async untilClosed(): Promise<void> {
    await until('the other end has closed', () => this.closed || this.ended);
  }
}

/** Connects without sending anything. */
export async function rawConnect(port: number): Promise<RawPeer> {
  const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true, noDelay: true });
  const peer = new RawPeer(socket);
  await once(socket, 'connect');
  return peer;
}

/**
 * Connects with TLS, whoever the server says it is.
 * @param to a port, or a connection on which nothing has come yet
 */
export async function tlsConnect(to: number | RawPeer, options: ConnectionOptions = {}): Promise<RawPeer> {
  const below = (typeof to === 'number' ? await rawConnect(to) : to).socket.removeAllListeners('data');
  // allowHalfOpen is node:net's, and holds here too, but is not in the types of node:tls.
  const halfOpen: ConnectionOptions & { allowHalfOpen: true } = { socket: below, rejectUnauthorized: false, allowHalfOpen: true };
  const socket = connectTls({ servername: 'proxy.example', ...halfOpen, ...options });
  socket.resetAndDestroy = () => {
    below.resetAndDestroy();
    return socket.destroy();
  };
  await once(socket, 'secureConnect');
  return new RawPeer(socket);
}

/** A backend on bare sockets. */
export interface RawBackend {
  readonly port: number;
  readonly peers: RawPeer[];
  /** The next connection that has not been asked for yet. */
  next(): Promise<RawPeer>;
  stop(): Promise<void>;
}

/** Listens; what each connection does is up to the test. */
export async function rawBackend(): Promise<RawBackend> {
  const peers: RawPeer[] = [];
  let given = 0;
  const server = createServer({ allowHalfOpen: true, noDelay: true }, (socket) => void peers.push(new RawPeer(socket)));
  const port = await listenAnywhere(server);
  return {
    port,
    peers,
    async next() {
      await until('the backend is connected', () => peers.length > given);
      return peers[given++] as RawPeer;
    },
    async stop() {
      for (const { socket } of peers) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
