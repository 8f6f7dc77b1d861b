// One socket, one request, one answer: what a client sends behind its request starts nothing, crashes nothing and costs it no answer.
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { attachRuntime } from '../../src/runtime/attach.ts';
import { until } from '../support/ports.ts';
import { served, startProxy, type TestProxy } from '../support/proxy.ts';
import { type RawBackend, type RawPeer, rawBackend, rawConnect, upgradeHead } from '../support/raw-client.ts';

const HEALTH = 'GET /.socketpod/health HTTP/1.1\r\nHost: a\r\n\r\n';
const PLAIN = 'GET /test/echo HTTP/1.1\r\nHost: a\r\n\r\n';
const MORE = {
  'a second request': PLAIN,
  'the health path': HEALTH,
  'an upgrade': upgradeHead(),
  'what is not HTTP': 'hello\r\n\r\n',
  'a megabyte': 'x'.repeat(1_000_000),
};

let backend: RawBackend;
let proxy: TestProxy;
let client: RawPeer;

async function start(headTimeoutMs?: number): Promise<void> {
  backend = await rawBackend();
  proxy = await startProxy(attachRuntime('127.0.0.1', backend.port), [served()], { headTimeoutMs });
  client = await rawConnect(proxy.port);
}

afterEach(async () => {
  client.socket.destroy();
  await proxy.stop();
  expect(backend.peers, 'no backend was started').toHaveLength(0);
  await backend.stop();
});

/** The answers that came until the proxy closed; the client closes then. */
async function answers(): Promise<string[]> {
  await client.untilClosed();
  client.socket.end();
  await until('the socket is closed', () => client.closed);
  expect(client.error).toBe('');
  return client.received.toString().match(/^HTTP\/1\.1 [0-9]+/gm) ?? [];
}

describe.each(Object.entries(MORE))('%s behind a request', (_name, more) => {
  beforeEach(() => start());

  it('in the same packet gets no answer', async () => {
    client.send(PLAIN + more);
    expect(await answers()).toEqual(['HTTP/1.1 426']);
    expect((await proxy.ended(1)).map(({ reason }) => reason)).toEqual(['not_websocket']);
  });

  it('that came later gets no answer', async () => {
    client.send(PLAIN);
    await client.head();
    client.send(more);
    await answers();
    expect((await proxy.ended(1)).map(({ reason }) => reason)).toEqual(['not_websocket']);
  });

  it('behind the health path gets none either', async () => {
    client.send(HEALTH + more);
    expect(await answers()).toEqual(['HTTP/1.1 200']);
    expect(proxy.records).toEqual([]);
  });

  it('behind a head that was too long neither', async () => {
    client.send(`GET /test/echo HTTP/1.1\r\nX: ${'x'.repeat(17_000)}`);
    await until('an answer has come', () => client.received.length > 0);
    client.send(more);
    expect(await answers()).toEqual(['HTTP/1.1 431']);
    expect((await proxy.ended(1)).map(({ httpStatus }) => httpStatus)).toEqual([431]);
  });
});

describe('a request', () => {
  it('whose head is completed after the 408 is no second one', async () => {
    await start(200);
    client.send('GET /test/echo HTTP/1.1\r\n');
    await until('the 408 has come', () => client.received.length > 0);
    client.send('Host: a\r\n\r\n');
    expect(await answers()).toEqual(['HTTP/1.1 408']);
    expect((await proxy.ended(1)).map(({ httpStatus }) => httpStatus)).toEqual([408]);
  });

  it('of which nothing ever comes gets 408', async () => {
    await start(200);
    expect(await answers()).toEqual(['HTTP/1.1 408']);
    await proxy.ended(1);
  });

  it.each(['100-continue', 'something-else'])('that expects %s gets an answer of ours', async (what) => {
    await start();
    client.send(`POST /test/echo HTTP/1.1\r\nHost: a\r\nExpect: ${what}\r\nContent-Length: 3\r\n\r\n`);
    expect(await client.head()).toMatch(/^HTTP\/1.1 426 [\s\S]*X-Socketpod-Status: 436/);
    client.socket.end();
    expect((await proxy.ended(1))[0]?.reason).toBe('not_websocket');
  });

  it('with a body of a megabyte is over when its client has read the answer', async () => {
    await start();
    const began = performance.now();
    client.send(`POST /test/echo HTTP/1.1\r\nHost: a\r\nContent-Length: 1000000\r\n\r\n${'x'.repeat(1_000_000)}`);
    expect(await answers()).toEqual(['HTTP/1.1 426']);
    await proxy.ended(1);
    expect(performance.now() - began, 'ms, and not the 3 s that closing may take').toBeLessThan(2500);
  });
});
