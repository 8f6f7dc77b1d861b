// The upgrade request to the backend and its answer, through http-proxy (the maintained drop-in http-proxy-3, under its name).
// Only this file knows that package. It gets a stand-in for the client's socket: http-proxy would answer refusals and faults on
// that socket by itself and end it, where the contract wants its own answers; so the client is untouched until the function
// has answered, and whatever happens here is a value.
import type { Agent, ClientRequest, IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import { Duplex } from 'node:stream';
import { createProxyServer } from 'http-proxy';
import type { HeaderLines } from '../core/headers.ts';
import { headerTokens, headerValues } from '../core/request.ts';
import { acceptOf } from './accept.ts';

/** The longest body of a function's own answer that is passed to the client, in bytes (contract part 3). */
const MAX_ANSWER_BODY = 262_144;

/** What is sent to the function. */
export interface UpgradeRequest {
  /** Path and query, raw. */
  readonly target: string;
  readonly headers: HeaderLines;
}

/** The function said 101: its socket is the caller's from now on, and nobody else listens on it. */
export interface Upgraded {
  readonly kind: 'upgraded';
  readonly rawHeaders: readonly string[];
  /** Paused; bytes that came with the 101 are the first that can be read. */
  readonly socket: Socket;
}

/** The function said something else; its answer is the client's. */
export interface Answered {
  readonly kind: 'answered';
  readonly status: number;
  readonly message: string;
  readonly rawHeaders: readonly string[];
  readonly body: Buffer;
}

/** No answer that means anything: the socket dropped, or what came was not HTTP or not WebSocket. `detail` is for the log. */
export interface Failed {
  readonly kind: 'failed';
  readonly detail: string;
}

/** Whatever came of an upgrade request. */
export type Answer = Upgraded | Answered | Failed;

/** The calls under way: by the request that http-proxy hands back with `proxyReqWs`, and by the socket that it hands back with `open`. */
const onRequest = new WeakMap<object, (request: ClientRequest) => void>();
const onOpen = new WeakMap<object, () => void>();

const proxy = createProxyServer({ ws: true });
proxy.on('proxyReqWs', (request, incoming) => onRequest.get(incoming)?.(request));
proxy.on('open', (socket) => onOpen.get(socket)?.());
// A fault reaches the callback of its own call; this listener only keeps http-proxy from throwing.
proxy.on('error', () => {});

/**
 * Sends the upgrade over an open socket and waits for the answer, however long it takes.
 * @param socket an open connection to the function; destroyed unless the answer is `upgraded`
 * @param signal aborts the wait: the socket is destroyed and the answer is `failed`
 */
export function dial(upgrade: UpgradeRequest, socket: Socket, signal: AbortSignal): Promise<Answer> {
  return new Promise((resolve) => {
    const standIn = new StandIn();
    let settled = false;
    const settle = (answer: Answer) => {
      if (settled) return;
      settled = true;
      signal.removeEventListener('abort', abort);
      // http-proxy ends the backend's socket when "the client" closes, and counts both until then.
      if (answer.kind === 'upgraded') socket.once('close', () => standIn.destroy());
      else {
        socket.destroy();
        standIn.destroy();
      }
      resolve(answer);
    };
    const abort = () => settle({ kind: 'failed', detail: 'given up' });
    if (signal.aborted || socket.destroyed) return abort();
    signal.addEventListener('abort', abort, { once: true });

    const incoming = { method: 'GET', url: '/', httpVersion: '1.1', httpVersionMajor: 1, headers: upgrade.headers };
    const key = String(upgrade.headers['sec-websocket-key']);
    onRequest.set(incoming, (request) => {
      request.path = upgrade.target; // raw: http-proxy would parse it and put it together again
      request.on('response', (response) => readAnswer(response, settle));
      request.on('upgrade', (response) => {
        const problem = upgradeProblem(response, key);
        if (problem !== undefined) return settle({ kind: 'failed', detail: problem });
        onOpen.set(socket, () => {
          // In the tick in which it was piped, so that no byte has gone to the stand-in; bytes that came with the 101 are in the
          // socket's own buffer again.
          socket.unpipe();
          standIn.unpipe();
          settle({ kind: 'upgraded', rawHeaders: response.rawHeaders, socket });
        });
      });
    });
    proxy.ws(
      incoming as unknown as IncomingMessage,
      standIn as unknown as Socket,
      { target: { protocol: 'http:', host: 'function', port: 80 }, agent: agentOf(socket) },
      (error: Error) => settle({ kind: 'failed', detail: error.message }),
    );
  });
}

/** Why a 101 is not an answer to our upgrade (RFC 6455, section 4.1); undefined when it is one. */
function upgradeProblem(response: IncomingMessage, key: string): string | undefined {
  if (response.statusCode !== 101) return `status ${response.statusCode} with an Upgrade`;
  if (!headerTokens(response.rawHeaders, 'upgrade').some((token) => token.toLowerCase() === 'websocket')) {
    return 'a 101 without Upgrade: websocket';
  }
  if (headerValues(response.rawHeaders, 'sec-websocket-accept')[0] !== acceptOf(key)) return 'a 101 with a wrong Sec-WebSocket-Accept';
  return undefined;
}

function readAnswer(response: IncomingMessage, settle: (answer: Answer) => void): void {
  const chunks: Buffer[] = [];
  let bytes = 0;
  const done = () =>
    settle({
      kind: 'answered',
      status: response.statusCode ?? 502,
      message: response.statusMessage ?? '',
      rawHeaders: response.rawHeaders,
      body: Buffer.concat(chunks.splice(0)).subarray(0, MAX_ANSWER_BODY),
    });
  if (response.statusCode === 101) return settle({ kind: 'failed', detail: 'a 101 without Connection: Upgrade' });
  response.on('data', (chunk: Buffer) => {
    chunks.push(chunk);
    bytes += chunk.length;
    if (bytes >= MAX_ANSWER_BODY) done();
  });
  response.on('end', done);
  response.on('error', (error) => settle({ kind: 'failed', detail: `the body of the answer broke off: ${error.message}` }));
}

/** Takes what http-proxy writes to "the client" and gives it nothing to read. */
class StandIn extends Duplex {
  override _read(): void {}
  override _write(_chunk: unknown, _encoding: string, done: () => void): void {
    done();
  }
  setTimeout(): this {
    return this;
  }
  setNoDelay(): this {
    return this;
  }
  setKeepAlive(): this {
    return this;
  }
  destroySoon(): void {
    this.destroy();
  }
}

/** An agent for one request, whose connection is already open (the probe's, so that the function sees exactly one). */
function agentOf(socket: Socket): Agent {
  return { addRequest: (request: ClientRequest) => request.onSocket(socket), defaultPort: 80, protocol: 'http:' } as unknown as Agent;
}
