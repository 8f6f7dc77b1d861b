// A client that goes on sending without looking, until it sees the end, must read our close code and text: an early close() of ours would
// make the kernel answer its next byte with a reset, and that destroys the close frame on its way. One table for all clients, which are
// programs with one command line: URL, message or ping, bytes, ms between two; and one line of JSON as the result.
import { execFile } from 'node:child_process';
import { createServer } from 'node:http';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';
import { type WebSocket, WebSocketServer } from 'ws';
import type { CompleteSpec } from '../../src/api/types.ts';
import { attachRuntime } from '../../src/runtime/attach.ts';
import { listenAnywhere } from '../support/ports.ts';
import { served, startProxy, type TestProxy } from '../support/proxy.ts';

/** A client: its name and the beginning of its command line. */
export type Client = readonly [name: string, file: string, ...args: string[]];

/** What a client prints. `code` is 1006 and `error` says more when it saw no close frame. */
interface Result {
  readonly opened: boolean;
  readonly code: number;
  readonly reason: string;
  readonly error: string;
}

interface Row {
  readonly name: string;
  readonly spec: Partial<CompleteSpec>;
  /** What the client goes on sending. */
  readonly sends: readonly [kind: 'message' | 'ping', bytes: number, everyMs: number];
  readonly code: number;
  readonly reason: string;
  readonly recorded: string;
  /** Called when the connection is open. */
  act?(proxy: TestProxy, fn: WebSocket): void;
}

/** Frames that go on while the connection is idle: from a client that cannot ping, its pongs. */
function pingForever(fn: WebSocket): void {
  const timer = setInterval(() => fn.ping(), 5);
  fn.on('close', () => clearInterval(timer));
}

const ROWS: readonly Row[] = [
  {
    name: 'messages that are too large',
    spec: { maxMessageBytes: 65_536 },
    sends: ['message', 2_000_000, 1],
    code: 1009,
    reason: '406 request too large',
    recorded: 'request_too_large',
  },
  {
    name: 'more messages than its rate',
    spec: { maxMessagesPerSecond: 10, onRateExceeded: 'Close' },
    sends: ['message', 100, 1],
    code: 1008,
    reason: '429 rate exceeded',
    recorded: 'rate_exceeded',
  },
  {
    name: 'more bytes than its rate',
    spec: { maxBytesPerSecond: 100_000, maxMessageBytes: 100_000, onRateExceeded: 'Close' },
    sends: ['message', 90_000, 1],
    code: 1008,
    reason: '429 rate exceeded',
    recorded: 'rate_exceeded',
  },
  {
    name: 'nothing but control frames',
    spec: { idleTimeoutSeconds: 1 },
    sends: ['ping', 0, 5],
    code: 1001,
    reason: '455 idle timeout',
    recorded: 'idle_timeout',
    act: (_proxy, fn) => pingForever(fn),
  },
  {
    name: 'messages to a function that is deleted',
    spec: {},
    sends: ['message', 100_000, 1],
    code: 1001,
    reason: '438 function deleted',
    recorded: 'function_deleted',
    act: (proxy, fn) => void fn.once('message', () => proxy.services.functions.delete('test/echo')),
  },
];

/** Runs the table with each of these clients. */
export function runStillSending(clients: readonly Client[]): void {
  const cases = ROWS.flatMap((row) => clients.map((client) => [client[0], row.name, row, client] as const));
  it.each(cases)('%s, which goes on sending %s, reads why it ended', async (_client, _what, row, [, file, ...args]) => {
    const http = createServer();
    const fn = new WebSocketServer({ server: http, autoPong: false });
    const proxy = await startProxy(attachRuntime('127.0.0.1', await listenAnywhere(http)), [served('echo', row.spec)]);
    fn.on('connection', (socket) => {
      socket.on('error', () => {});
      row.act?.(proxy, socket);
    });
    try {
      const { stdout } = await promisify(execFile)(file, [...args, proxy.url, ...row.sends.map(String)]);
      const expected: Result = { opened: true, code: row.code, reason: row.reason, error: '' };
      expect(JSON.parse(stdout)).toEqual(expected);
      const [record] = await proxy.ended(1);
      expect(record).toMatchObject({ reason: row.recorded, clientCloseCode: row.code });
    } finally {
      for (const socket of fn.clients) socket.terminate();
      await proxy.stop();
      await new Promise((resolve) => http.close(resolve));
    }
  });
}
