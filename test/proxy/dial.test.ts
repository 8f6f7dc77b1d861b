// dial() and http-proxy under it: the failure table of that package, row by row. No fault may be uncaught, no socket may be left.
import { once } from 'node:events';
import { createRequire } from 'node:module';
import { connect, type Socket } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { dial } from '../../src/proxy/dial.ts';
import { until } from '../support/ports.ts';
import { type RawBackend, rawBackend, SWITCHING } from '../support/raw-client.ts';

// What http-proxy itself believes to be open; a file of the package that it does not export.
const { numOpenSockets } = createRequire(import.meta.url)('../../node_modules/http-proxy/dist/lib/http-proxy/passes/ws-incoming.js') as {
  numOpenSockets(): number;
};

const KEY = 'dGhlIHNhbXBsZSBub25jZQ==';
const UPGRADE = {
  target: '/a%2Fb/..?q',
  headers: { host: 'h', connection: 'Upgrade', upgrade: 'websocket', 'sec-websocket-key': KEY, 'sec-websocket-version': '13' },
};

let backend: RawBackend;
let socket: Socket;
const faults: Error[] = [];
const note = (error: Error) => void faults.push(error);

beforeEach(async () => {
  backend = await rawBackend();
  socket = connect({ port: backend.port, host: '127.0.0.1', allowHalfOpen: true });
  await once(socket, 'connect');
  process.on('uncaughtException', note);
});

afterEach(async () => {
  for (const peer of backend.peers) peer.socket.destroy();
  await until('the socket is gone', () => socket.destroyed);
  await until('http-proxy counts none', () => numOpenSockets() === 0);
  await backend.stop();
  process.off('uncaughtException', note);
  expect(faults.splice(0)).toEqual([]);
});

const never = new AbortController().signal;

describe('dial', () => {
  it('sends the target as it is', async () => {
    const answer = dial(UPGRADE, socket, never);
    const fn = await backend.next();
    expect(await fn.head()).toMatch(/^GET \/a%2Fb\/\.\.\?q HTTP\/1.1\r\n/);
    fn.socket.destroy();
    expect((await answer).kind).toBe('failed');
  });

  it('is given up when the client resets while the answer is pending', async () => {
    const left = new AbortController();
    const answer = dial(UPGRADE, socket, left.signal);
    const fn = await backend.next();
    await fn.head();
    left.abort();
    expect(await answer).toEqual({ kind: 'failed', detail: 'given up' });
    await fn.untilClosed();
  });

  it('is given up before it began', async () => {
    expect((await dial(UPGRADE, socket, AbortSignal.abort())).kind).toBe('failed');
  });

  it('gives a 404 with keep-alive and closes the socket', async () => {
    const answer = dial(UPGRADE, socket, never);
    const fn = await backend.next();
    await fn.head();
    fn.send('HTTP/1.1 404 Not Found\r\nConnection: keep-alive\r\nContent-Length: 4\r\n\r\ngone');
    expect(await answer).toMatchObject({ kind: 'answered', status: 404, body: Buffer.from('gone') });
    await fn.untilClosed();
  });

  it('waits for a backend that never answers until it is given up', async () => {
    const answer = dial(UPGRADE, socket, AbortSignal.timeout(100));
    expect((await answer).kind).toBe('failed');
  });

  it.each(['end', 'resetAndDestroy'] as const)('fails when the backend drops by %s', async (how) => {
    const answer = dial(UPGRADE, socket, never);
    const fn = await backend.next();
    await fn.head();
    fn.socket[how]();
    expect((await answer).kind).toBe('failed');
  });

  it.each(['end', 'resetAndDestroy'] as const)('leaves the socket to its caller, whose backend later drops by %s', async (how) => {
    const answer = dial(UPGRADE, socket, never);
    const fn = await backend.next();
    await fn.head();
    fn.send(`${SWITCHING}first`);
    const upgraded = await answer;
    expect(upgraded).toMatchObject({ kind: 'upgraded', socket });
    const first = new Promise((resolve) => socket.once('data', resolve));
    socket.on('error', () => {}).resume();
    expect(String(await first)).toBe('first');
    const over = new Promise((resolve) => socket.once('end', resolve).once('close', resolve));
    fn.socket[how]();
    await over;
    socket.destroy();
  });

  it('leaves nothing when its caller destroys the socket', async () => {
    const answer = dial(UPGRADE, socket, never);
    const fn = await backend.next();
    await fn.head();
    fn.send(SWITCHING);
    await answer;
    socket.destroy();
    await fn.untilClosed();
  });
});
