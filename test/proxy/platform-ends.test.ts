// Ends that the platform makes: broken framing, a deleted function, and what a peer sees who goes on sending.
import { createHash } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { attachRuntime } from '../../src/runtime/attach.ts';
import { frame } from '../support/frames.ts';
import { served, startProxy, type TestProxy } from '../support/proxy.ts';
import { type RawBackend, type RawPeer, rawBackend, rawConnect, SWITCHING, upgradeHead } from '../support/raw-client.ts';

let backend: RawBackend;
let proxy: TestProxy;

beforeEach(async () => {
  backend = await rawBackend();
  proxy = await startProxy(attachRuntime('127.0.0.1', backend.port), [served()]);
});

afterEach(async () => {
  for (const { socket } of backend.peers) socket.destroy();
  await proxy.stop();
  await backend.stop();
});

async function open(): Promise<[RawPeer, RawPeer]> {
  const client = await rawConnect(proxy.port);
  client.send(upgradeHead());
  const fn = await backend.next();
  await fn.head();
  fn.send(SWITCHING);
  await client.head();
  return [client, fn];
}

const BREAKS: [string, (mask: boolean) => Buffer][] = [
  ['a control frame over 125 bytes', (mask) => frame({ opcode: 9, payload: Buffer.alloc(126), mask })],
  ['a fragmented control frame', (mask) => frame({ opcode: 9, fin: false, mask })],
  ['a continuation without a start', (mask) => frame({ opcode: 0, payload: 'x', mask })],
  ['a data frame inside a message', (mask) => frame({ opcode: 1, mask })],
  ['a length over 2^53', (mask) => frame({ opcode: 2, length: 2n ** 60n, mask })],
];

describe('broken framing', () => {
  it.each(BREAKS)('%s of the client ends both sides with 1002 and does not pass', async (name, make) => {
    const [client, fn] = await open();
    const start = name === 'a data frame inside a message' ? frame({ opcode: 1, fin: false, payload: 'a', mask: true }) : Buffer.alloc(0);
    client.send(Buffer.concat([start, make(true)]));
    expect(await fn.take(start.length)).toEqual(start);
    const told = await client.take(2 + 2 + 25);
    expect(told.readUInt16BE(2)).toBe(1002);
    expect(told.subarray(4).toString()).toBe('456 client protocol error');
    expect((await fn.take(2))[0]).toBe(0x88);
    client.socket.end();
    fn.socket.end();
    expect((await proxy.ended(1))[0]).toMatchObject({ reason: 'client_protocol_error', detail: expect.stringMatching(/./) });
  });

  it.each(BREAKS)('%s of the function ends both sides with 1002 and does not pass', async (name, make) => {
    const [client, fn] = await open();
    const start = name === 'a data frame inside a message' ? frame({ opcode: 1, fin: false, payload: 'a' }) : Buffer.alloc(0);
    fn.send(Buffer.concat([start, make(false)]));
    expect(await client.take(start.length)).toEqual(start);
    expect((await client.take(4)).readUInt16BE(2)).toBe(1002);
    client.socket.end();
    fn.socket.end();
    expect((await proxy.ended(1))[0]?.reason).toBe('function_protocol_error');
  });
});

describe('a deleted function', () => {
  it('closes its connections with 1001 on both sides', async () => {
    const [client, fn] = await open();
    proxy.services.functions.delete('test/echo');
    const told = await client.take(4);
    expect(told.readUInt16BE(2)).toBe(1001);
    expect((await client.take((told[1] ?? 0) - 2)).toString()).toBe('438 function deleted');
    expect((await fn.take(2))[0]).toBe(0x88);
    client.socket.end();
    fn.socket.end();
    expect((await proxy.ended(1))[0]?.reason).toBe('function_deleted');
  });

  it('answers 503 with 438 to a handshake that is held', async () => {
    const client = await rawConnect(proxy.port);
    client.send(upgradeHead());
    await backend.next();
    proxy.services.functions.delete('test/echo');
    const head = await client.head();
    expect(head).toMatch(/^HTTP\/1.1 503 [\s\S]*X-Socketpod-Status: 438[\s\S]*Retry-After: 5/);
    client.socket.destroy();
  });
});

describe('a client that goes on sending after our close', () => {
  it('still reads our code and text, and no reset', async () => {
    const client = new WebSocket(proxy.url);
    const fn = await backend.next();
    const key = /sec-websocket-key: (.*)\r/i.exec(await fn.head())?.[1] ?? '';
    const accept = createHash('sha1').update(`${key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`).digest('base64');
    fn.send(SWITCHING.replace(/Accept: .*\r/, `Accept: ${accept}\r`));
    await new Promise((resolve) => client.once('open', resolve));
    const sending = setInterval(() => client.readyState === WebSocket.OPEN && client.send(Buffer.alloc(65_536)), 1); // a flood
    const closed = new Promise((resolve) => client.once('close', (code, text) => resolve([code, text.toString()])));
    fn.socket.resetAndDestroy();
    expect(await closed).toEqual([1011, '439 function exited']);
    clearInterval(sending);
    expect((await proxy.ended(1))[0]?.reason).toBe('function_dropped');
  });
});
