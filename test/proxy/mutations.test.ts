// Requests that are nearly right: whatever is changed in a good one, the client gets exactly one answer, one record is written, and
// the function sees a request only when the client got a 101.
import { createHash } from 'node:crypto';
import { createServer, type Socket } from 'node:net';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { attachRuntime } from '../../src/runtime/attach.ts';
import { randomBy } from '../support/frames.ts';
import { listenAnywhere, until } from '../support/ports.ts';
import { served, startProxy, type TestProxy } from '../support/proxy.ts';
import { rawConnect, upgradeHead } from '../support/raw-client.ts';

const REQUESTS = 400;
const GOOD = upgradeHead('/test/echo/a?b=c', ['Origin: https://a.example', 'Cookie: k=v', 'Sec-WebSocket-Protocol: chat']);
/** Bytes and words that parsers trip over. */
const ODD = ['\0', '\r', '\n', '\r\n', '\r\n\r\n', '\t', ' ', ':', ',', ';', '/', '//', '/../', '%2e', '\\', '\x7f', '\xff', '"', '#', '?'];
const LINES = [
  'Host: b',
  'Content-Length: 5',
  'Transfer-Encoding: chunked',
  'Connection: close',
  'Upgrade: h2c',
  'Expect: x',
  ': x',
  'x',
  ' x: y',
];

let proxy: TestProxy;
const sockets: Socket[] = [];
const heads: string[] = [];
const server = createServer({ allowHalfOpen: true }, (socket) => {
  sockets.push(socket.on('error', () => {}));
  let got = '';
  socket.on('data', (chunk) => {
    const before = got.includes('\r\n\r\n');
    got += chunk.toString('latin1');
    if (before || !got.includes('\r\n\r\n')) return;
    heads.push(got);
    const key = /^sec-websocket-key: (.*)\r$/im.exec(got)?.[1] ?? '';
    const accept = createHash('sha1').update(`${key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`).digest('base64');
    socket.write(`HTTP/1.1 101 X\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${accept}\r\n\r\n`);
  });
});

beforeAll(async () => {
  const port = await listenAnywhere(server);
  proxy = await startProxy(attachRuntime('127.0.0.1', port), [served('echo', { maxConnections: REQUESTS, initTimeoutSeconds: 3 })], {
    headTimeoutMs: 300,
  });
});

afterAll(async () => {
  for (const socket of sockets) socket.destroy();
  await proxy.stop();
  await new Promise((resolve) => server.close(resolve));
});

function mutated(random: () => number): string {
  const pick = (from: readonly string[]) => from[Math.floor(random() * from.length)] ?? '';
  let text = GOOD;
  for (let edits = 1 + Math.floor(random() * 2); edits > 0; edits--) {
    const at = Math.floor(random() * text.length);
    const dice = random();
    if (dice < 0.3) text = text.slice(0, at) + text.slice(at + 1 + Math.floor(random() * 3));
    else if (dice < 0.7) text = text.slice(0, at) + pick(ODD) + text.slice(at);
    else if (dice < 0.85) text = text.replace(/\r\n/, () => `\r\n${pick(LINES)}\r\n`);
    else text = text.replace(pick(['GET', '1.1', 'Upgrade', 'websocket', '13', 'Host', '/test']), () => pick([...ODD, 'POST', '1.0', '']));
  }
  return text;
}

it('answers every request once, however it was changed', async () => {
  const seed = Math.floor(Math.random() * 2 ** 32);
  console.log(`mutations.test.ts: seed ${seed}`);
  const random = randomBy(seed);
  let opened = 0;
  for (let i = 0; i < REQUESTS; i += 50) {
    await Promise.all(
      Array.from({ length: 50 }, async () => {
        const request = mutated(random);
        const client = await rawConnect(proxy.port);
        const cut = Math.floor(random() * request.length);
        client.send(request.slice(0, cut));
        client.send(request.slice(cut));
        const what = `seed ${seed}: ${JSON.stringify(request)}`;
        await until(`an answer to ${what}`, () => client.received.includes('\r\n\r\n') || client.closed);
        const answer = client.received.toString('latin1');
        const status = Number(/^HTTP\/1\.1 ([0-9]{3}) /.exec(answer)?.[1]);
        expect([101, 400, 404, 408, 426, 431], `${what} got ${JSON.stringify(answer)}`).toContain(status);
        if (status === 101) opened++;
        else await client.untilClosed();
        expect(client.received.toString('latin1').match(/HTTP\/1\.1 [0-9]{3} /g)?.length, `answers to ${what}`).toBe(1);
        client.socket.destroy();
      }),
    );
  }
  for (const socket of sockets) socket.destroy();
  await proxy.ended(REQUESTS);
  await until('the registry is empty', () => proxy.services.registry.size === 0);
  expect(proxy.records, `seed ${seed}`).toHaveLength(REQUESTS);
  expect(heads.length, `seed ${seed}: requests that the function saw`).toBe(opened);
  for (const head of heads)
    expect(head, `seed ${seed}`).toMatch(/^GET \/test\/echo(\/[^ ]*|\?[^ ]*)? HTTP\/1\.1\r\n(?:[!-9;-~]+: [^\r\n\0]*\r\n)+\r\n/);
}, 60_000);

it('does not cut a handshake or a connection that lasts longer than a head may', async () => {
  const before = proxy.records.length;
  const client = await rawConnect(proxy.port);
  client.send(GOOD);
  expect(await client.head()).toContain(' 101 ');
  const slow = await rawConnect(proxy.port);
  slow.send('GET / HTTP/1.1\r\n');
  expect(await slow.head()).toContain(' 408 ');
  expect(client.closed || client.ended).toBe(false);
  slow.socket.destroy();
  client.socket.destroy();
  await proxy.ended(before + 2);
});

it.each(['GET /test/echo HTTP/1.1\r\nHost: a\r\n\r\n', upgradeHead('/nobody')])(
  'answers %j whose client half-closes at once',
  async (request) => {
    const before = proxy.records.length;
    const client = await rawConnect(proxy.port);
    client.socket.end(request);
    expect(await client.head()).toMatch(/^HTTP\/1.1 4/);
    await until('it is closed', () => client.closed);
    expect(client.error).toBe('');
    await proxy.ended(before + 1);
  },
);
