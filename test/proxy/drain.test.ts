// A drain, through the front door: not ready, then no new connections, then open ones come to their end (contract part 9).
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { attachRuntime } from '../../src/runtime/attach.ts';
import { closeFrame, frame } from '../support/frames.ts';
import { readClose } from '../support/metered.ts';
import { until } from '../support/ports.ts';
import { served, startProxy, type TestProxy } from '../support/proxy.ts';
import { type RawBackend, type RawPeer, rawBackend, rawConnect, SWITCHING, upgradeHead } from '../support/raw-client.ts';

let backend: RawBackend;
let proxy: TestProxy;
let hurry: AbortController;
let clients: RawPeer[];

beforeEach(async () => {
  backend = await rawBackend();
  proxy = await startProxy(attachRuntime('127.0.0.1', backend.port), [served()]);
  hurry = new AbortController();
  clients = [];
});

afterEach(async () => {
  for (const { socket } of [...clients, ...backend.peers]) socket.destroy();
  await proxy.stop();
  await backend.stop();
});

async function ask(head = upgradeHead()): Promise<RawPeer> {
  const client = await rawConnect(proxy.port);
  clients.push(client);
  client.send(head);
  return client;
}

async function open(): Promise<{ client: RawPeer; fn: RawPeer }> {
  const client = await ask();
  const fn = await backend.next();
  await fn.head();
  fn.send(SWITCHING);
  await client.head();
  return { client, fn };
}

async function health(): Promise<string> {
  const client = await ask('GET /.socketpod/health HTTP/1.1\r\nHost: x\r\n\r\n');
  return (await client.head()).split('\r\n')[0] ?? '';
}

const drain = (delayMs: number, drainMs: number) => proxy.services.gate.drain(proxy.services.registry, { delayMs, drainMs }, hurry.signal);
const refusing = () => until('no new connection is taken', () => !proxy.services.gate.open);

describe('a drain', () => {
  it('is not ready at once, but takes connections while load balancers notice', async () => {
    expect(await health()).toBe('HTTP/1.1 200 OK');
    const drained = drain(60_000, 0);
    expect(await health()).toBe('HTTP/1.1 503 Service Unavailable');
    await open();
    hurry.abort();
    await drained;
  });

  it('then refuses new ones, to be tried again elsewhere', async () => {
    const { client } = await open();
    const drained = drain(0, 60_000);
    await refusing();
    const head = await (await ask()).head();
    expect(head).toMatch(/^HTTP\/1\.1 503 /);
    expect(head).toContain('X-Socketpod-Status: 500\r\n');
    expect(head).toContain('Retry-After: 1\r\n');
    client.socket.destroy();
    await drained;
  });

  it('loses no connection that ends within it', async () => {
    const { client, fn } = await open();
    const drained = drain(0, 60_000);
    await refusing();
    const text = frame({ opcode: 1, payload: 'still here', mask: true });
    client.send(text);
    expect((await fn.take(text.length)).equals(text)).toBe(true);
    client.send(closeFrame(1000, '', true));
    await fn.take(8);
    fn.send(closeFrame(1000));
    client.socket.end();
    fn.socket.end();
    await drained;
    expect(proxy.records.map(({ reason }) => reason)).toEqual(['normal_closure']);
  });

  it('lets a handshake that is held go on to its end', async () => {
    const client = await ask();
    const fn = await backend.next();
    await fn.head();
    const drained = drain(0, 60_000);
    await refusing();
    fn.send(SWITCHING);
    expect(await client.head()).toMatch(/^HTTP\/1\.1 101 /);
    client.socket.destroy();
    await drained;
  });

  it('closes what is left when its time is over, spread', async () => {
    const open20 = await Promise.all(Array.from({ length: 20 }, open));
    const begun = performance.now();
    const closedAt = open20.map(async ({ client, fn }) => {
      expect(await readClose(client)).toBe('1012 500 drained');
      expect(await readClose(fn)).toBe('1001 500 drained');
      client.socket.destroy();
      fn.socket.destroy();
      return performance.now() - begun;
    });
    await drain(0, 2000);
    const times = await Promise.all(closedAt);
    expect(Math.max(...times) - Math.min(...times)).toBeGreaterThan(500);
    expect(proxy.records.map(({ reason }) => reason)).toEqual(Array(20).fill('drained'));
  });

  it('closes everything at once when it is told to hurry', async () => {
    const { client, fn } = await open();
    const held = await ask();
    await backend.next();
    const drained = drain(0, 60_000);
    await refusing();
    hurry.abort();
    expect(await readClose(client)).toBe('1012 500 drained');
    expect(await held.head()).toMatch(/^HTTP\/1\.1 503 [\s\S]*X-Socketpod-Status: 500\r\n/);
    client.socket.destroy();
    fn.socket.destroy();
    held.socket.destroy();
    await drained;
    expect(proxy.records.map(({ reason }) => reason).sort()).toEqual(['drained', 'draining']);
  });
});
