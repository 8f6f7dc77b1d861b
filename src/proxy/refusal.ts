// The HTTP answers to a handshake that does not open: ours, and the function's own passed on (contract part 3).
import { STATUS_CODES } from 'node:http';
import type { Socket } from 'node:net';
import { HEADER_REQUEST_ID, HEADER_STATUS } from '../api/names.ts';
import { CLOSING_MS } from '../core/closing.ts';
import { END, encodeClose, FrameScanner, OP_CLOSE } from '../core/frame.ts';
import { LIMITS, refusingLimit } from '../core/limit.ts';
import { outcome, type Reason, refusalClose } from '../core/outcome.ts';
import { headerTokens, headerValues } from '../core/request.ts';
import { keyOf, type ServedFunction } from '../core/served.ts';
import { acceptOf } from './accept.ts';
import type { Answered } from './dial.ts';
import type { Observer } from './record.ts';

/** Lines of a function's answer that hold for its own connection only (RFC 9110, section 7.6.1), and those that are ours. */
const NOT_PASSED = new Set([
  'connection',
  'keep-alive',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
  'content-length',
  HEADER_REQUEST_ID.toLowerCase(),
  HEADER_STATUS.toLowerCase(),
]);

/** A refusal of ours. */
export interface Refusal {
  readonly reason: Reason;
  readonly id: string;
  /** Words for the client: nothing of pods, nodes or images. */
  readonly message: string;
  /** In place of the table's, for the few rows that have several. */
  readonly status?: number | undefined;
  /** The function that was asked for, when there is one. */
  readonly fn?: ServedFunction | undefined;
  /** Of the request, when it could be read. */
  readonly rawHeaders?: readonly string[];
  /** The function's own answer, which is passed on in place of ours. */
  readonly answer?: Answered | undefined;
}

/**
 * Refuses, and closes the socket. Resolves when it is gone, with the HTTP status that was sent: 0 when the client has left, 101 where
 * the function wants browsers to be refused by a close frame, which is all that their scripts can read.
 */
export async function sendRefusal(socket: Socket, refusal: Refusal): Promise<number> {
  const { reason, id, fn, rawHeaders = [], status, answer } = refusal;
  if (reason === 'client_left') {
    socket.destroy();
    return 0;
  }
  if (answer) {
    await sendAndClose(socket, answerBytes(answer, reason, id));
    return answer.status;
  }
  const close =
    fn?.spec.refuseWith === 'CloseFrame' && headerValues(rawHeaders, 'origin').length > 0 ? refusalClose(reason, id) : undefined;
  if (!close) {
    await sendAndClose(socket, refusalText(refusal));
    return status ?? outcome(reason).refusal?.status ?? 503;
  }
  const protocol = headerTokens(rawHeaders, 'sec-websocket-protocol')[0];
  const lines = ['Sec-WebSocket-Accept', acceptOf(headerValues(rawHeaders, 'sec-websocket-key')[0] ?? '')];
  const head = upgradeText(protocol === undefined ? lines : [...lines, 'Sec-WebSocket-Protocol', protocol], id);
  await sendAndClose(socket, Buffer.concat([Buffer.from(head, 'latin1'), encodeClose(close.code, close.text)]), untilCloseFrame);
  return 101;
}

/** Tells of a refusal that a limit caused. */
export function violatedByRefusal(reason: Reason, fn: ServedFunction | undefined, observer: Observer): void {
  const limit = refusingLimit(reason);
  if (limit && fn) observer.violated({ function: keyOf(fn), limit, code: outcome(LIMITS[limit].reason).code, action: 'refuse' });
}

/** The bytes of a refusal of ours over HTTP. */
export function refusalText({ reason, id, message, status }: Refusal): string {
  const row = outcome(reason);
  const code = status ?? row.refusal?.status ?? 503;
  const body = JSON.stringify({ statusCode: row.code, errorMessage: message, requestId: id });
  const lines = [
    `HTTP/1.1 ${code} ${STATUS_CODES[code] ?? ''}`,
    `${HEADER_STATUS}: ${row.code}`,
    `${HEADER_REQUEST_ID}: ${id}`,
    'Connection: close',
    'Cache-Control: no-store',
    'Content-Type: application/json',
    `Content-Length: ${Buffer.byteLength(body)}`,
  ];
  if (row.refusal?.retryAfter !== undefined) lines.push(`Retry-After: ${row.refusal.retryAfter}`);
  if (code === 426) lines.push('Upgrade: websocket', 'Sec-WebSocket-Version: 13');
  if (code === 401) lines.push('WWW-Authenticate: Bearer');
  return `${lines.join('\r\n')}\r\n\r\n${body}`;
}

/** The bytes of a function's own answer, for the client. */
export function answerBytes(answer: Answered, reason: Reason, id: string): Buffer {
  const lines = [`HTTP/1.1 ${answer.status} ${answer.message || (STATUS_CODES[answer.status] ?? '')}`];
  lines.push(...passedLines(answer.rawHeaders));
  if (answer.status === 426) lines.push(...headerValues(answer.rawHeaders, 'upgrade').map((value) => `Upgrade: ${value}`)); // what is asked for
  lines.push(`${HEADER_STATUS}: ${outcome(reason).code}`, `${HEADER_REQUEST_ID}: ${id}`, 'Connection: close');
  // These have no body, so nothing may tell of one (RFC 9110, section 8.6).
  if (answer.status !== 204 && answer.status !== 304) lines.push(`Content-Length: ${answer.body.length}`);
  return Buffer.concat([Buffer.from(`${lines.join('\r\n')}\r\n\r\n`, 'latin1'), answer.body]);
}

/** The bytes of the function's 101, for the client: its own lines and the connection's id. */
export function upgradeText(rawHeaders: readonly string[], id: string): string {
  const lines = ['HTTP/1.1 101 Switching Protocols', 'Connection: Upgrade', 'Upgrade: websocket', ...passedLines(rawHeaders)];
  return `${lines.join('\r\n')}\r\n${HEADER_REQUEST_ID}: ${id}\r\n\r\n`;
}

function passedLines(rawHeaders: readonly string[]): string[] {
  const lines: string[] = [];
  for (let i = 0; i + 1 < rawHeaders.length; i += 2) {
    const name = rawHeaders[i] ?? '';
    if (!NOT_PASSED.has(name.toLowerCase())) lines.push(`${name}: ${rawHeaders[i + 1] ?? ''}`);
  }
  return lines;
}

/**
 * Sends the last bytes that a client gets from us and closes its socket: what it still sends is read and discarded, so that no
 * reset overtakes the answer. Resolves when the socket is gone.
 * @param before what has to come from the client before our FIN; default: nothing
 */
export function sendAndClose(socket: Socket, bytes: string | Buffer, before?: (socket: Socket, then: () => void) => void): Promise<void> {
  return new Promise((resolve) => {
    if (socket.destroyed) return resolve();
    const timer = setTimeout(() => socket.destroy(), CLOSING_MS);
    socket.once('close', () => {
      clearTimeout(timer);
      resolve();
    });
    socket.once('end', () => socket.destroySoon());
    if (socket.readableEnded) socket.once('finish', () => socket.destroy());
    before?.(socket, () => socket.end());
    socket.resume();
    socket.write(bytes, 'latin1');
    if (!before) socket.end();
  });
}

/** Waits for the client's close frame, the answer to ours (RFC 6455, section 5.5.1). */
function untilCloseFrame(socket: Socket, then: () => void): void {
  const scanner = new FrameScanner();
  socket.on('data', (chunk: Buffer) => {
    let at = 0;
    while (scanner.broken === '' && (at < chunk.length || scanner.owesEnd)) {
      at = scanner.next(chunk, at);
      if (scanner.found === END && scanner.opcode === OP_CLOSE) return then();
    }
  });
}
