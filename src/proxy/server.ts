// The listener of the data plane. An upgrade goes to the handshake, anything else to its refusal; the health path is ours.
import { randomUUID } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { HEALTH_PATH, handshake, plainAddress, refuse } from './handshake.ts';
import type { SocketError } from './record.ts';
import { sendAndClose } from './refusal.ts';
import type { Services } from './services.ts';

/** A request head must be complete within this (contract part 3), in ms. */
const HEAD_TIMEOUT_MS = 10_000;
/** ... and not be longer than this, in bytes. */
const MAX_HEAD = 16_384;

/** Options of the listener. */
export interface ServerOptions {
  readonly host: string;
  /** 0 takes a free one. */
  readonly port: number;
  /** Shorter in tests, in ms. */
  readonly headTimeoutMs?: number;
}

/** The open listener. */
export interface ProxyServer {
  readonly host: string;
  readonly port: number;
  /** Stops to accept; connections that are open go on. */
  close(): Promise<void>;
}

/** Opens the data port. Rejects when it cannot be opened (EADDRINUSE, EACCES). */
export async function listen(options: ServerOptions, services: Services): Promise<ProxyServer> {
  const headersTimeout = options.headTimeoutMs ?? HEAD_TIMEOUT_MS;
  const server = createServer({
    maxHeaderSize: MAX_HEAD,
    headersTimeout,
    requestTimeout: headersTimeout,
    connectionsCheckingInterval: Math.min(500, headersTimeout / 4),
    requireHostHeader: false, // judged in core/request.ts, with an answer of ours
    noDelay: true,
  });
  server.maxHeadersCount = 0; // the head's length bounds them; node:http drops or refuses those beyond a thousand
  const answered = new WeakSet<Socket>();
  /** The first request of a socket gets its answer and ends it; node:http goes on reading what follows, which must start nothing. */
  const first = (socket: Socket) => !answered.has(socket) && answered.add(socket) !== undefined;
  const upgrade = (request: IncomingMessage, socket: Socket, head: Buffer) => {
    if (!first(socket))
      socket.resume(); // still read and discarded: node:http has let go of it
    // node:http counts names and values; a head has blanks, colons and line ends too.
    else if (socket.bytesRead - head.length > MAX_HEAD) unreadable('HPE_HEADER_OVERFLOW', socket, services);
    else handshake(request, socket, head, services);
  };
  const plain = (request: IncomingMessage, response: ServerResponse) => {
    request.resume(); // a body would hold back the client's FIN
    if (first(request.socket)) plainRequest(request, response, services);
  };
  server.on('upgrade', (request, socket, head) => upgrade(request, socket as Socket, head));
  server.on('connect', (request, socket, head) => upgrade(request, socket as Socket, head));
  server.on('request', plain);
  server.on('checkContinue', plain);
  server.on('checkExpectation', plain);
  server.on('clientError', (error: NodeJS.ErrnoException, socket) => {
    if (first(socket as Socket)) unreadable(error.code ?? '', socket as Socket, services);
    else if (error.code === 'ECONNRESET') socket.destroy();
  });
  await opened(server, options);
  const address = server.address() as AddressInfo;
  return {
    host: options.host,
    port: address.port,
    close: () => new Promise((resolve) => server.close(() => resolve())),
  };
}

function opened(server: Server, options: ServerOptions): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(options.port, options.host, () => {
      server.off('error', reject);
      resolve();
    });
  });
}

/** The answer goes out beside node:http, which would close the socket under what the client still sends. */
function plainRequest(request: IncomingMessage, response: ServerResponse, services: Services): void {
  const { socket } = request;
  response.detachSocket(socket);
  if (request.method === 'GET' && request.url === HEALTH_PATH) {
    socket.on('error', () => {});
    void sendAndClose(socket, health(services.gate.ready));
  } else {
    handshake(request, socket, Buffer.alloc(0), services);
  }
}

/** The answer at the health path: 503 from the beginning of a drain on. */
function health(ready: boolean): string {
  const body = ready ? 'ok\n' : 'draining\n';
  const lines = ['Connection: close', 'Cache-Control: no-store', 'Content-Type: text/plain', `Content-Length: ${body.length}`];
  return `HTTP/1.1 ${ready ? '200 OK' : '503 Service Unavailable'}\r\n${lines.join('\r\n')}\r\n\r\n${body}`;
}

/** What is not read as a request: too slow, too long, or not HTTP at all. `code` is that of node:http's error. */
function unreadable(code: string, socket: Socket, services: Services): void {
  socket.on('error', () => {});
  if (code === 'ECONNRESET' || !socket.writable) return void socket.destroy();
  const [status, message, cause] = headProblem(code);
  services.observer.socketError(cause);
  void refuse(socket, randomUUID(), plainAddress(socket.remoteAddress), { reason: 'bad_handshake', message, status }, services);
}

function headProblem(code: string): [status: number, message: string, cause: SocketError] {
  if (code === 'HPE_HEADER_OVERFLOW') return [431, `the request head is over ${MAX_HEAD} bytes`, 'head_too_large'];
  if (code === 'ERR_HTTP_REQUEST_TIMEOUT') return [408, 'the request head was not complete in time', 'head_timeout'];
  return [400, 'this is not an HTTP/1.1 request', 'malformed'];
}
