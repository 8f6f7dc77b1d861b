// The HTTP answers to a handshake that does not open: ours, and the function's own passed on (contract part 3).
import { STATUS_CODES } from 'node:http';
import type { Socket } from 'node:net';
import { HEADER_REQUEST_ID, HEADER_STATUS } from '../api/names.ts';
import { outcome, type Reason } from '../core/outcome.ts';
import { headerValues } from '../core/request.ts';
import type { Answered } from './dial.ts';

/** The longest that a client may take to read its refusal, in ms: closing takes at most 3 s everywhere. */
const CLOSING_MS = 3000;
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
}

/** The bytes of a refusal of ours. */
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
 * Sends the last bytes that a client gets over HTTP and closes its socket: what it still sends is read and discarded, so that no
 * reset overtakes the answer. Resolves when the socket is gone.
 */
export function sendAndClose(socket: Socket, bytes: string | Buffer): Promise<void> {
  return new Promise((resolve) => {
    if (socket.destroyed) return resolve();
    const timer = setTimeout(() => socket.destroy(), CLOSING_MS);
    socket.once('close', () => {
      clearTimeout(timer);
      resolve();
    });
    socket.once('end', () => socket.destroySoon());
    if (socket.readableEnded) socket.once('finish', () => socket.destroy());
    socket.resume();
    if (typeof bytes === 'string') socket.end(bytes, 'latin1');
    else socket.end(bytes);
  });
}
