// The listener of the data plane. An upgrade goes to the handshake, anything else to its refusal; the health path is ours.
import { randomUUID } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import type { Services } from './connection.ts';
import { HEALTH_PATH, handshake, plainAddress, refuse } from './handshake.ts';

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
  server.on('upgrade', (request, socket, head) => handshake(request, socket as Socket, head, services));
  server.on('connect', (request, socket, head) => handshake(request, socket as Socket, head, services));
  server.on('request', (request, response) => plainRequest(request, response, services));
  server.on('checkContinue', (request, response) => plainRequest(request, response, services));
  server.on('clientError', (error: NodeJS.ErrnoException, socket) => clientError(error, socket as Socket, services));
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

function plainRequest(request: IncomingMessage, response: ServerResponse, services: Services): void {
  if (request.method === 'GET' && request.url === HEALTH_PATH) {
    response.writeHead(200, { 'Content-Type': 'text/plain', 'Cache-Control': 'no-store' }).end('ok\n');
    return;
  }
  const { socket } = request;
  response.detachSocket(socket);
  handshake(request, socket, Buffer.alloc(0), services);
}

/** What node:http could not read as a request: too slow, too long, or not HTTP at all. */
function clientError(error: NodeJS.ErrnoException, socket: Socket, services: Services): void {
  socket.on('error', () => {});
  if (error.code === 'ECONNRESET' || !socket.writable) return void socket.destroy();
  const [status, message] = headProblem(error.code ?? '');
  void refuse(socket, randomUUID(), plainAddress(socket.remoteAddress), { reason: 'bad_handshake', message, status }, services);
}

function headProblem(code: string): [status: number, message: string] {
  if (code === 'HPE_HEADER_OVERFLOW') return [431, `the request head is over ${MAX_HEAD} bytes`];
  if (code === 'ERR_HTTP_REQUEST_TIMEOUT') return [408, 'the request head was not complete in time'];
  return [400, 'this is not an HTTP/1.1 request'];
}
