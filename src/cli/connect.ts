// `socketpod connect`: a client for people and scripts. Lines of input become text messages, messages become lines of output;
// what the connection did goes to standard error, and how it ended is told in the words of core/outcome.ts.
import { type IncomingMessage, validateHeaderValue } from 'node:http';
import { createInterface } from 'node:readline';
import type { Readable, Writable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { styleText } from 'node:util';
import { WebSocket } from 'ws';
import { HEADER_REQUEST_ID, HEADER_STATUS } from '../api/names.ts';
import { type Meaning, meaningOf } from '../core/seen.ts';

/** Bytes of a binary message that are shown. */
const SHOWN_BYTES = 32;
/** Bytes of a refusal's body that are read. */
const BODY_BYTES = 64 * 1024;
/** Longest wait for the answer to our close frame (ms): the platform takes at most 3 s. */
const CLOSE_MS = 5000;
/** A header's name (RFC 9110, section 5.1) and value. */
const HEADER = /^([!#$%&'*+.^_`|~0-9A-Za-z-]+):[ \t]*(.*)$/;
/** A sub-protocol is a token (RFC 6455, section 4.1). */
const TOKEN = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/;

const SUCCESS = 0;
const FAILURE = 1;
const BAD_USAGE = 2;

/** The options of `connect`, as config.ts reads them. */
export interface ConnectOptions {
  readonly header?: readonly string[];
  readonly protocol?: readonly string[];
  readonly insecure: boolean;
  /** Seconds between the end of the input and our close frame; default 0. */
  readonly wait?: number;
}

/** Where `connect` reads and writes. */
export interface ConnectIo {
  readonly input: Readable;
  readonly output: Writable;
  readonly error: Writable;
}

/**
 * Talks to a WebSocket until it ends. The end of the input, or SIGINT, sends close 1000, after `wait` seconds; messages that
 * arrive before the answer to it are still printed. A second SIGINT drops the connection.
 * @returns 0 when the connection opened and ended with function code 200, 1 for another end, 2 for bad usage
 */
export async function connect(url: string, options: ConnectOptions, io: ConnectIo): Promise<number> {
  const headers = headersOf(options.header ?? []);
  const fault = faultOf(url, options.protocol ?? []) ?? (typeof headers === 'string' ? headers : undefined);
  if (fault !== undefined || typeof headers === 'string') {
    io.error.write(`socketpod connect: ${fault}\n`);
    return BAD_USAGE;
  }
  // closeTimeout is younger than @types/ws; so it is no literal argument.
  const socketOptions = { headers, rejectUnauthorized: !options.insecure, closeTimeout: CLOSE_MS };
  const socket = new WebSocket(url, [...(options.protocol ?? [])], socketOptions);
  return await talk(socket, options.wait ?? 0, io);
}

/** Drives one socket from its first to its last event. */
function talk(socket: WebSocket, waitSeconds: number, io: ConnectIo): Promise<number> {
  const begun = performance.now();
  const over = new AbortController();
  const interrupted = () => {
    if (socket.readyState === WebSocket.OPEN) socket.close(1000);
    else socket.terminate();
  };
  let opened = false;
  let fault = '';
  process.on('SIGINT', interrupted);
  io.output.on('error', interrupted); // the reader of our output left, as in `connect ... | head -1`

  return new Promise<number>((resolve) => {
    const end = (meaning: Meaning) => {
      tellMeaning(io.error, meaning);
      resolve(opened && meaning.success ? SUCCESS : FAILURE);
    };
    socket.on('open', () => {
      opened = true;
      const protocol = socket.protocol === '' ? 'no sub-protocol' : `protocol ${socket.protocol}`;
      say(io.error, 'dim', `open in ${(performance.now() - begun).toFixed(0)} ms, ${protocol}`);
      void sendLines(socket, io.input, waitSeconds, over.signal);
    });
    socket.on('message', (data: Buffer, isBinary) => io.output.write(`${shown(data, isBinary, io.output)}\n`));
    socket.on('unexpected-response', (request, response) => {
      void tellRefusal(response, io.error).then((meaning) => {
        request.destroy();
        end(meaning);
      });
    });
    socket.on('error', (error) => {
      fault = error.message || String((error as NodeJS.ErrnoException).code);
    });
    socket.on('close', (code, reasonBytes) => {
      const reason = printable(reasonBytes.toString());
      if (!opened) {
        say(io.error, 'red', `not open: ${fault}`);
        resolve(FAILURE);
        return;
      }
      if (code === 1006) say(io.error, 'bold', `lost${fault === '' ? '' : `: ${fault}`}`);
      else say(io.error, 'bold', `closed: ${code === 1005 ? 'no code' : code}${reason === '' ? '' : `, ${reason}`}`);
      end(meaningOf({ kind: 'closed', code, reason }));
    });
  }).finally(() => {
    over.abort();
    process.off('SIGINT', interrupted);
    io.output.off('error', interrupted);
  });
}

/** Sends each line, no faster than the socket takes them, and closes after the last. */
async function sendLines(socket: WebSocket, input: Readable, waitSeconds: number, over: AbortSignal): Promise<void> {
  const lines = createInterface({ input, signal: over });
  for await (const line of lines) {
    if (socket.readyState !== WebSocket.OPEN) return;
    await new Promise<void>((sent) => socket.send(line, () => sent())); // a failure shows as the end of the socket
  }
  try {
    await sleep(waitSeconds * 1000, undefined, { signal: over });
  } catch {
    return; // the connection ended first
  }
  socket.close(1000);
}

/** Tells an answer that is not 101. */
async function tellRefusal(response: IncomingMessage, error: Writable): Promise<Meaning> {
  const httpStatus = response.statusCode ?? 0;
  const functionCode = response.headers[HEADER_STATUS.toLowerCase()];
  const id = response.headers[HEADER_REQUEST_ID.toLowerCase()];
  const message = messageOf(await bodyOf(response));
  say(
    error,
    'bold',
    `refused: HTTP ${httpStatus}${message === '' ? '' : `, ${printable(message)}`}${id === undefined ? '' : ` (request id ${id})`}`,
  );
  return meaningOf({ kind: 'refused', httpStatus, functionCode: functionCode?.toString() });
}

/** What there is of a body: a refusal is told even if its body breaks off. */
async function bodyOf(response: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let length = 0;
  try {
    for await (const chunk of response) {
      chunks.push(chunk);
      length += chunk.length;
      if (length > BODY_BYTES) break;
    }
  } catch (error) {
    return `(its body broke off: ${error instanceof Error ? error.message : error})`;
  }
  return Buffer.concat(chunks).toString('utf8', 0, BODY_BYTES);
}

/** `errorMessage` of the platform's JSON, else the first line of what a function wrote. */
function messageOf(body: string): string {
  try {
    const { errorMessage } = JSON.parse(body);
    if (typeof errorMessage === 'string') return errorMessage;
  } catch {
    // not JSON: a function's own words
  }
  return body.trim().split('\n', 1)[0] ?? '';
}

function tellMeaning(error: Writable, { functionCode, meaning, success }: Meaning): void {
  say(error, success ? 'green' : 'red', `function code ${functionCode ?? 'unknown'}: ${meaning}`);
}

/** A message as a line; what could steer a terminal is escaped there. */
function shown(data: Buffer, isBinary: boolean, output: Writable): string {
  if (isBinary) {
    const more = data.length > SHOWN_BYTES ? '…' : '';
    return `<${data.length} bytes: ${data.subarray(0, SHOWN_BYTES).toString('hex')}${more}>`;
  }
  const text = data.toString();
  return 'isTTY' in output && output.isTTY ? printable(text) : text;
}

/** Control characters except tab as \u{hex}. */
function printable(text: string): string {
  return text.replace(/[^\P{Cc}\t]/gu, (control) => `\\u{${control.charCodeAt(0).toString(16)}}`);
}

function say(error: Writable, style: 'dim' | 'bold' | 'red' | 'green', line: string): void {
  const plain = !('isTTY' in error && error.isTTY);
  error.write(`${plain ? line : styleText(style, line, { stream: error })}\n`);
}

function faultOf(url: string, protocols: readonly string[]): string | undefined {
  if (!URL.canParse(url) || !['ws:', 'wss:'].includes(new URL(url).protocol)) {
    return `${JSON.stringify(url)} is not a WebSocket URL, as in ws://127.0.0.1:8080/default/node-echo`;
  }
  if (new URL(url).hash !== '') return `${JSON.stringify(url)} has a fragment (#), which WebSocket URLs must not have`;
  const bad = protocols.find((name, index) => !TOKEN.test(name) || protocols.indexOf(name) !== index);
  return bad === undefined ? undefined : `sub-protocol ${JSON.stringify(bad)} is not a token or is there twice`;
}

/** The header lines by name; several of one name become a list (RFC 9110, section 5.3). @returns in words what is wrong with one */
function headersOf(lines: readonly string[]): Record<string, string> | string {
  const headers: Record<string, string> = {};
  for (const line of lines) {
    const [, name, value] = HEADER.exec(line) ?? [];
    if (name === undefined || value === undefined) return `header ${JSON.stringify(line)} is not NAME: VALUE`;
    try {
      validateHeaderValue(name, value);
    } catch {
      return `header ${JSON.stringify(line)} has a character that HTTP does not allow`;
    }
    headers[name] = headers[name] === undefined ? value : `${headers[name]}, ${value}`;
  }
  return headers;
}
