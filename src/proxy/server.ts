// What comes of a socket's request: an upgrade goes to the handshake, anything else to its refusal; the health path is ours.
import { randomUUID } from 'node:crypto';
import type { IncomingMessage, Server, ServerOptions, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { HEALTH_PATH, handshake, refuse } from './handshake.ts';
import type { SocketError } from './record.ts';
import { sendAndClose } from './refusal.ts';
import type { Services } from './services.ts';
import type { Arrival } from './upgrade.ts';

/** A request head must be complete within this (contract part 3), in ms. */
const HEAD_TIMEOUT_MS = 10_000;
/** ... and not be longer than this, in bytes. */
const MAX_HEAD = 16_384;

/** Options of node:http for a server of ours. */
export function httpOptions(headTimeoutMs = HEAD_TIMEOUT_MS): ServerOptions {
  return {
    maxHeaderSize: MAX_HEAD,
    headersTimeout: headTimeoutMs,
    requestTimeout: headTimeoutMs,
    connectionsCheckingInterval: Math.min(500, headTimeoutMs / 4),
    requireHostHeader: false, // judged in core/request.ts, with an answer of ours
    noDelay: true,
  };
}

/**
 * Answers the requests of a server.
 * @param arrivalOf who is at the other end of a socket
 */
export function answer(server: Server, arrivalOf: (socket: Socket, rawHeaders: readonly string[]) => Arrival, services: Services): void {
  server.maxHeadersCount = 0; // the head's length bounds them; node:http drops or refuses those beyond a thousand
  const answered = new WeakSet<Socket>();
  /** The first request of a socket gets its answer and ends it; node:http goes on reading what follows, which must start nothing. */
  const first = (socket: Socket) => !answered.has(socket) && answered.add(socket) !== undefined;
  const upgrade = (request: IncomingMessage, socket: Socket, head: Buffer) => {
    if (!first(socket)) return void socket.resume(); // still read and discarded: node:http has let go of it
    const arrival = arrivalOf(socket, request.rawHeaders);
    // node:http counts names and values; a head has blanks, colons and line ends too.
    if (socket.bytesRead - arrival.headAt - head.length > MAX_HEAD) unreadable('HPE_HEADER_OVERFLOW', arrival, services);
    else handshake(request, arrival, head, services);
  };
  const plain = (request: IncomingMessage, response: ServerResponse) => {
    request.resume(); // a body would hold back the client's FIN
    if (!first(request.socket)) return;
    response.detachSocket(request.socket); // node:http would close it under what the client still sends
    if (request.method === 'GET' && request.url === HEALTH_PATH) healthy(request.socket, services);
    else handshake(request, arrivalOf(request.socket, request.rawHeaders), Buffer.alloc(0), services);
  };
  server.on('upgrade', (request, socket, head) => upgrade(request, socket as Socket, head));
  server.on('connect', (request, socket, head) => upgrade(request, socket as Socket, head));
  server.on('request', plain);
  server.on('checkContinue', plain);
  server.on('checkExpectation', plain);
  server.on('clientError', (error: NodeJS.ErrnoException, socket) => {
    if (first(socket as Socket)) unreadable(error.code ?? '', arrivalOf(socket as Socket, []), services);
    else if (error.code === 'ECONNRESET') socket.destroy();
  });
}

function healthy(socket: Socket, { gate }: Services): void {
  socket.on('error', () => {});
  void sendAndClose(socket, health(gate.ready));
}

/** The answer at the health path: 503 from the beginning of a drain on. */
function health(ready: boolean): string {
  const body = ready ? 'ok\n' : 'draining\n';
  const lines = ['Connection: close', 'Cache-Control: no-store', 'Content-Type: text/plain', `Content-Length: ${body.length}`];
  return `HTTP/1.1 ${ready ? '200 OK' : '503 Service Unavailable'}\r\n${lines.join('\r\n')}\r\n\r\n${body}`;
}

/** What is not read as a request: too slow, too long, or not HTTP at all. `code` is that of node:http's error. */
function unreadable(code: string, arrival: Arrival, services: Services): void {
  const { socket } = arrival;
  socket.on('error', () => {});
  if (code === 'ECONNRESET' || !socket.writable) return void socket.destroy();
  const [status, message, cause] = headProblem(code);
  services.observer.socketError(cause);
  void refuse(arrival, randomUUID(), { reason: 'bad_handshake', message, status }, services);
}

function headProblem(code: string): [status: number, message: string, cause: SocketError] {
  if (code === 'HPE_HEADER_OVERFLOW') return [431, `the request head is over ${MAX_HEAD} bytes`, 'head_too_large'];
  if (code === 'ERR_HTTP_REQUEST_TIMEOUT') return [408, 'the request head was not complete in time', 'head_timeout'];
  return [400, 'this is not an HTTP/1.1 request', 'malformed'];
}
