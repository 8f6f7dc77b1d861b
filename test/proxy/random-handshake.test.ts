// Handshakes at random: clients that leave, functions that answer anything. Each is recorded once, with what its client was told, and
// no socket is left of any.
import { createRequire } from 'node:module';
import { connect, createServer, type Socket } from 'node:net';
import { expect, it } from 'vitest';
import { outcome } from '../../src/core/outcome.ts';
import type { ConnectionRecord } from '../../src/proxy/record.ts';
import { attachRuntime } from '../../src/runtime/attach.ts';
import { closeFrame, frame, randomBy } from '../support/frames.ts';
import { listenAnywhere, until } from '../support/ports.ts';
import { served, startProxy } from '../support/proxy.ts';
import { SWITCHING, upgradeHead } from '../support/raw-client.ts';

const CONNECTIONS = 300;
const { numOpenSockets } = createRequire(import.meta.url)('../../node_modules/http-proxy/dist/lib/http-proxy/passes/ws-incoming.js') as {
  numOpenSockets(): number;
};

type Act = (socket: Socket, random: () => number) => unknown;

const LEAVING: readonly Act[] = [(socket) => socket.end(), (socket) => socket.resetAndDestroy()];
const CLIENTS: readonly Act[] = [
  () => {},
  () => {},
  () => {},
  ...LEAVING,
  (socket) => socket.write(frame({ opcode: 1, payload: 'early', mask: true })),
  (socket) => socket.write(Buffer.alloc(70_000)),
  (socket) => socket.write(closeFrame(1000, '', true)),
  (socket) => socket.write(upgradeHead()),
];

const ANSWERS: readonly Act[] = [
  (socket) => socket.write(SWITCHING),
  (socket) => socket.end(SWITCHING + closeFrame(1000).toString('latin1'), 'latin1'),
  (socket) => [...SWITCHING].forEach((byte) => void socket.write(byte)),
  (socket, random) => socket.write(SWITCHING.slice(0, random() * SWITCHING.length)) && socket.end(),
  (socket) => socket.write(SWITCHING.replace('Accept: ', 'Accept: x')),
  (socket) => socket.write('HTTP/1.1 403 No\r\nContent-Length: 2\r\n\r\nno'),
  (socket) => socket.write('HTTP/1.1 503 No\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nno\r\n0\r\n\r\n'),
  (socket) => socket.write('HTTP/1.1 403 No\r\nContent-Length: 20\r\n\r\nno'),
  (socket) => socket.end('HTTP/1.1 403 No\r\n\r\nno'),
  (socket) => socket.write('\x00garbage\r\n\r\n'),
  (socket) => socket.end(),
  (socket) => socket.resetAndDestroy(),
  () => {},
];

async function soon(random: () => number): Promise<void> {
  for (let i = random() * 30; i > 0; i--) await new Promise((resolve) => setImmediate(resolve));
}

function pick<T>(items: readonly T[], random: () => number): T {
  return items[Math.floor(random() * items.length)] as T;
}

/** What is wrong between the answer that a client got and the record of it. */
function fault(answer: string, records: ReadonlyMap<string, ConnectionRecord>): string | undefined {
  const header = (name: string) => new RegExp(`^${name}: (.*)\r$`, 'im').exec(answer)?.[1] ?? '';
  const record = records.get(header('X-Request-Id'));
  if (!record) return `no record of ${answer}`;
  const status = Number(answer.split(' ')[1]);
  if (record.httpStatus !== status) return `${status} was told and ${record.httpStatus} recorded`;
  if (status === 101) return record.openMs > 0 ? undefined : 'open for no time';
  const code = String(outcome(record.reason).code);
  if (header('X-Socketpod-Status') !== code || header('Connection') !== 'close') return `${record.reason} was told as ${answer}`;
  const body = answer.slice(answer.indexOf('\r\n\r\n') + 4);
  return body.length === Number(header('Content-Length')) ? undefined : `a body of ${body.length} in ${answer}`;
}

it('is answered and recorded once each, whatever client and function do, and leaves no socket', async () => {
  const seed = Math.floor(Math.random() * 2 ** 32);
  console.log(`random-handshake.test.ts: seed ${seed}`);
  const random = randomBy(seed);
  const functions: Socket[] = [];
  const server = createServer({ allowHalfOpen: true, noDelay: true }, (socket) => {
    functions.push(socket.on('error', () => {}));
    socket.once('data', async () => {
      await soon(random);
      pick(ANSWERS, random)(socket, random);
      socket.resume();
    });
  });
  const runtime = attachRuntime('127.0.0.1', await listenAnywhere(server));
  const proxy = await startProxy(runtime, [served('echo', { initTimeoutSeconds: 1, maxConnections: 1000 })]);
  const answers: string[] = [];
  const clients: Socket[] = [];
  const leavers = new Set<number>();
  for (let i = 0; i < CONNECTIONS; i++) {
    const at = answers.push('') - 1;
    const socket = connect({ port: proxy.port, host: '127.0.0.1', allowHalfOpen: true, noDelay: true }, async () => {
      socket.write(upgradeHead());
      await soon(random);
      const act = pick(CLIENTS, random);
      if (LEAVING.includes(act)) leavers.add(at);
      if (socket.writable) act(socket, random);
    });
    socket.on('data', (chunk: Buffer) => {
      answers[at] += chunk.toString('latin1');
      if (answers[at]?.startsWith('HTTP/1.1 101')) setTimeout(() => socket.destroy(), random() * 100); // it was open for a moment
    });
    socket.on('error', () => {}).on('end', () => socket.end());
    clients.push(socket);
    await soon(() => random() / 10);
  }
  const records = await proxy.ended(CONNECTIONS);
  await until('every client is closed', () => clients.every(({ closed }) => closed));
  await until('the proxy has closed every socket to a function', () =>
    functions.every((socket) => socket.readableEnded || socket.destroyed),
  );
  await until('http-proxy counts none', () => numOpenSockets() === 0);
  await proxy.stop();
  expect(records).toHaveLength(CONNECTIONS);
  const byId = new Map(records.map((record) => [record.id, record]));
  expect(
    answers.filter((answer) => answer !== '').flatMap((answer) => fault(answer, byId) ?? []),
    `seed ${seed}`,
  ).toEqual([]);
  const unanswered = answers.flatMap((answer, i) => (answer === '' && !leavers.has(i) ? [i] : []));
  expect(unanswered, 'clients that stayed and got no answer').toEqual([]);
  expect(new Set(records.map(({ reason }) => reason))).not.toContain('internal_error');
  for (const socket of functions) socket.destroy();
  await new Promise((resolve) => server.close(resolve));
});
