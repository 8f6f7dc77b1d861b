// The function's answer to the upgrade: its own refusal, garbage, silence; and what the client sends before it.
import { createServer, type RequestListener, type Server } from 'node:http';
import { afterEach, describe, expect, it } from 'vitest';
import { attachRuntime } from '../../src/runtime/attach.ts';
import { frame } from '../support/frames.ts';
import { listenAnywhere, until } from '../support/ports.ts';
import { served, startProxy, type TestProxy } from '../support/proxy.ts';
import { type RawBackend, type RawPeer, rawBackend, rawConnect, SWITCHING, upgradeHead } from '../support/raw-client.ts';

let backend: RawBackend | undefined;
let server: Server | undefined;
let proxy: TestProxy;
let client: RawPeer;

afterEach(async () => {
  client.socket.destroy();
  await proxy.stop();
  await backend?.stop();
  server?.closeAllConnections();
  await new Promise((resolve) => (server ? server.close(resolve) : resolve(undefined)));
  backend = undefined;
  server = undefined;
});

/** A client whose upgrade has reached a backend on bare sockets. */
async function dialed(part = {}): Promise<RawPeer> {
  backend = await rawBackend();
  proxy = await startProxy(attachRuntime('127.0.0.1', backend.port), [served('echo', part)]);
  client = await rawConnect(proxy.port);
  client.send(upgradeHead());
  const fn = await backend.next();
  await fn.head();
  return fn;
}

/** A client of a backend on node:http that answers every request, upgrades too, with this. */
async function answered(listener: RequestListener): Promise<string> {
  server = createServer({ shouldUpgradeCallback: () => false }, listener);
  proxy = await startProxy(attachRuntime('127.0.0.1', await listenAnywhere(server)), [served()]);
  client = await rawConnect(proxy.port);
  client.send(upgradeHead());
  const head = await client.head();
  await client.untilClosed();
  client.socket.end();
  return head;
}

describe('a function that refuses', () => {
  it.each<[string, RequestListener, string]>([
    ['with a length', (_q, s) => s.writeHead(403, { 'Content-Length': 6, 'X-Why': 'no' }).end('denied'), 'denied'],
    [
      'in chunks',
      (_q, s) => {
        s.writeHead(403).write('den');
        s.end('ied');
      },
      'denied',
    ],
    ['until it closes', (_q, s) => s.writeHead(403, { Connection: 'close', 'Transfer-Encoding': 'identity' }).end('denied'), 'denied'],
    ['without a body', (_q, s) => s.writeHead(403).end(), ''],
    ['with more than 256 KiB', (_q, s) => s.writeHead(403).end(Buffer.alloc(400_000, 'x')), 'x'.repeat(262_144)],
  ])('%s is passed on', async (_name, listener, body) => {
    const head = await answered(listener);
    expect(head).toMatch(/^HTTP\/1.1 403 Forbidden\r\n/);
    expect(head).toContain(`Content-Length: ${body.length}\r\n`);
    expect(head).toMatch(/X-Socketpod-Status: 200\r\nX-Request-Id: [0-9a-f-]{36}\r\nConnection: close\r\n/);
    expect(client.received.toString()).toBe(body);
    expect((await proxy.ended(1))[0]).toMatchObject({ reason: 'function_refused', httpStatus: 403 });
  });

  it('keeps its own header lines, several of a name too', async () => {
    const head = await answered((_q, s) =>
      s.writeHead(302, { Location: '/x', 'Set-Cookie': ['a=1', 'b=2'], 'X-Request-Id': 'mine' }).end(),
    );
    expect(head).toMatch(/Location: \/x\r\nSet-Cookie: a=1\r\nSet-Cookie: b=2\r\n/);
    expect(head).not.toContain('mine');
  });

  it('with 500 and more has failed', async () => {
    await answered((_q, s) => s.writeHead(503).end('down'));
    expect((await proxy.ended(1))[0]).toMatchObject({ reason: 'function_refused_5xx', httpStatus: 503 });
  });
});

describe('a function that gives no answer that means anything', () => {
  it.each<[string, (fn: RawPeer) => void]>([
    ['drops by FIN', (fn) => fn.socket.end()],
    ['drops by RST', (fn) => fn.socket.resetAndDestroy()],
    ['does not speak HTTP', (fn) => fn.send('hello\r\n\r\n')],
    ['accepts with the wrong key', (fn) => fn.send(SWITCHING.replace(/Accept: ./, 'Accept: !'))],
    ['switches to something else', (fn) => fn.send(SWITCHING.replace('websocket', 'h2c'))],
    ['switches without Connection', (fn) => fn.send(SWITCHING.replace('Connection: Upgrade\r\n', ''))],
    ['sends half a head and drops', (fn) => fn.socket.end('HTTP/1.1 101 Swi')],
    ['sends half a body and drops', (fn) => fn.socket.end('HTTP/1.1 403 No\r\nContent-Length: 10\r\n\r\nhalf')],
  ])('%s: 502 with 430', async (_name, act) => {
    const fn = await dialed();
    act(fn);
    expect(await client.head()).toMatch(/^HTTP\/1.1 502 [\s\S]*X-Socketpod-Status: 430/);
    client.socket.end();
    expect((await proxy.ended(1))[0]?.reason).toBe('handshake_failed');
    await until('the socket to the function is closed', () => fn.closed || fn.ended);
  });

  it('says nothing until the init timeout: 504 with 446', async () => {
    const fn = await dialed({ initTimeoutSeconds: 1 });
    expect(await client.head()).toMatch(/^HTTP\/1.1 504 [\s\S]*X-Socketpod-Status: 446/);
    client.socket.end();
    expect((await proxy.ended(1))[0]?.reason).toBe('handshake_timeout');
    await fn.untilClosed();
  });

  it.each(['FIN', 'RST'])('and whose client leaves by %s: 499, and its socket is closed', async (how) => {
    const fn = await dialed();
    if (how === 'FIN') client.socket.end();
    else client.socket.resetAndDestroy();
    expect((await proxy.ended(1))[0]?.reason).toBe('client_left');
    await fn.untilClosed();
  });
});

describe('bytes before the 101', () => {
  it('are kept up to 64 KiB and sent after it, in order', async () => {
    const early = frame({ opcode: 2, payload: Buffer.alloc(60_000, 7), mask: true });
    const fn = await dialed();
    client.send(early.subarray(0, 100));
    client.send(early.subarray(100));
    await new Promise((resolve) => setImmediate(resolve));
    expect(fn.received).toHaveLength(0);
    fn.send(SWITCHING);
    await client.head();
    expect(await fn.take(early.length)).toEqual(early);
    client.socket.destroy();
    await proxy.ended(1);
  });

  it('that came with the request are sent after it', async () => {
    backend = await rawBackend();
    proxy = await startProxy(attachRuntime('127.0.0.1', backend.port), [served()]);
    client = await rawConnect(proxy.port);
    const early = frame({ opcode: 1, payload: 'early', mask: true });
    client.send(Buffer.concat([Buffer.from(upgradeHead()), early]));
    const fn = await backend.next();
    await fn.head();
    const answer = frame({ opcode: 1, payload: 'with the 101' });
    fn.send(Buffer.concat([Buffer.from(SWITCHING), answer]));
    await client.head();
    expect(await client.take(answer.length)).toEqual(answer);
    expect(await fn.take(early.length)).toEqual(early);
    client.socket.destroy();
    await proxy.ended(1);
  });

  it('over 64 KiB end the handshake with 400', async () => {
    await dialed();
    client.send(Buffer.alloc(70_000));
    expect(await client.head()).toMatch(/^HTTP\/1.1 400 [\s\S]*X-Socketpod-Status: 436/);
    client.socket.end();
    expect((await proxy.ended(1))[0]?.reason).toBe('bad_handshake');
  });
});

describe('the request that the function sees', () => {
  it('is the own one of the client, with what the platform sets', async () => {
    backend = await rawBackend();
    proxy = await startProxy(attachRuntime('127.0.0.1', backend.port), [served()]);
    client = await rawConnect(proxy.port);
    client.send(
      upgradeHead('/test/echo/a%20b?x=1&access_token=secret&y=%2F..', [
        'Sec-WebSocket-Protocol: a',
        'Sec-WebSocket-Protocol: b, c',
        'Sec-WebSocket-Extensions: permessage-deflate',
        'Cookie: k=v',
        'X-Scf-Name: forged',
        'x_forwarded_for: 1.2.3.4',
        'X-Request-Id: forged',
        'Keep-Alive: 5',
        'Traceparent: 00-ab',
      ]),
    );
    const fn = await backend.next();
    const head = await fn.head();
    const lines = head.toLowerCase().split('\r\n');
    expect(head.split('\r\n')[0]).toBe('GET /test/echo/a%20b?x=1&y=%2F.. HTTP/1.1');
    expect(lines).toEqual(
      expect.arrayContaining(['host: proxy.example', 'cookie: k=v', 'traceparent: 00-ab', 'x-forwarded-for: 127.0.0.1']),
    );
    expect(lines.filter((line) => line.startsWith('sec-websocket-protocol'))).toEqual([
      'sec-websocket-protocol: a',
      'sec-websocket-protocol: b, c',
    ]);
    expect(lines).toEqual(
      expect.arrayContaining(['x-scf-name: echo', 'x-scf-namespace: test', 'x-scf-timeout: 7200', 'x-forwarded-host: proxy.example']),
    );
    expect(head).not.toMatch(/forged|1\.2\.3\.4|secret|keep-alive/i);
    client.socket.destroy();
    await proxy.ended(1);
  });
});
