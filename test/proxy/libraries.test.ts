// Real WebSocket implementations on both sides: what they agree on directly, they agree on through the proxy.
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type ServerOptions, WebSocketServer, WebSocket as WsClient } from 'ws';
import { attachRuntime } from '../../src/runtime/attach.ts';
import { randomBy } from '../support/frames.ts';
import { listenAnywhere } from '../support/ports.ts';
import { served, startProxy, type TestProxy } from '../support/proxy.ts';

let http: Server;
let fn: WebSocketServer;
let proxy: TestProxy;

/** A function that sends back what it gets and closes as it is told. */
async function start(options: ServerOptions = {}): Promise<void> {
  http = createServer();
  fn = new WebSocketServer({ server: http, ...options });
  fn.on('connection', (socket) => {
    socket.on('error', () => {});
    socket.on('message', (data, binary) => {
      const [word, code] = binary ? [] : String(data).split(' ');
      if (word === 'close') socket.close(Number(code), 'as told');
      else socket.send(data, { binary });
    });
  });
  proxy = await startProxy(attachRuntime('127.0.0.1', await listenAnywhere(http)), [served()]);
}

afterEach(async () => {
  for (const socket of fn.clients) socket.terminate();
  await proxy.stop();
  await new Promise((resolve) => http.close(resolve));
});

describe.each([
  ['plain', false],
  ['compressed', { threshold: 0 }],
] as const)('ws, %s', (_name, perMessageDeflate) => {
  beforeEach(() => start({ perMessageDeflate }));

  async function open(): Promise<WsClient> {
    const client = new WsClient(proxy.url, { perMessageDeflate });
    await once(client, 'open');
    return client;
  }

  it('echoes random messages of many sizes in order, both ways at once', async () => {
    const client = await open();
    expect(client.extensions).toBe(perMessageDeflate ? 'permessage-deflate' : '');
    const seed = Math.floor(Math.random() * 2 ** 32);
    const random = randomBy(seed);
    const messages = Array.from({ length: 300 }, () => {
      const size = Math.floor(random() ** 6 * 300_000);
      return Buffer.from(Uint8Array.from({ length: size }, () => random() * 64));
    });
    const echoed: Buffer[] = [];
    const all = new Promise<void>((resolve) => {
      client.on('message', (data: Buffer) => {
        echoed.push(data);
        if (echoed.length === messages.length) resolve();
      });
    });
    for (const message of messages) client.send(message, { binary: true });
    await all;
    expect(
      echoed.every((data, i) => data.equals(messages[i] ?? Buffer.alloc(0))),
      `seed ${seed}`,
    ).toBe(true);
    client.close(1000, 'done');
    expect((await once(client, 'close')).map(String)).toEqual(['1000', 'done']);
    const [record] = await proxy.ended(1);
    expect(record).toMatchObject({ reason: 'normal_closure', messagesUp: 300, messagesDown: 300 });
    expect(record?.bytesUp).toBeGreaterThan(0);
  });

  it('sends fragments, pings and pongs', async () => {
    const client = await open();
    const pong = once(client, 'pong');
    const echo = once(client, 'message');
    client.send('one ', { fin: false });
    client.ping('are you there');
    client.send('message', { fin: true });
    expect(String((await pong)[0])).toBe('are you there');
    expect(String((await echo)[0])).toBe('one message');
    client.close();
    await once(client, 'close');
    expect((await proxy.ended(1))[0]).toMatchObject({ reason: 'client_no_status', messagesUp: 1, messagesDown: 1 });
  });

  it.each([
    [1000, 'normal_closure'],
    [1011, 'function_internal_error'],
    [1013, 'function_close_code'],
    [4999, 'function_close_code'],
  ])('hears the function close with %d', async (code, reason) => {
    const client = await open();
    client.send(`close ${code}`);
    expect((await once(client, 'close')).map(String)).toEqual([String(code), 'as told']);
    expect((await proxy.ended(1))[0]).toMatchObject({ reason, functionCloseCode: code, clientCloseCode: code });
  });
});

describe("Node's own client, as a browser's", () => {
  it('agrees on a sub-protocol, echoes and closes', async () => {
    await start({ handleProtocols: (offered) => (offered.has('chat') ? 'chat' : false) });
    const client = new WebSocket(proxy.url, ['other', 'chat']);
    await once(client, 'open');
    expect(client.protocol).toBe('chat');
    const echo = once(client, 'message') as Promise<[MessageEvent]>;
    client.send('grüße');
    expect((await echo)[0].data).toBe('grüße');
    const closed = once(client, 'close') as Promise<[CloseEvent]>;
    client.close(4001, 'bye');
    expect((await closed)[0]).toMatchObject({ code: 4001, reason: 'bye', wasClean: true });
    expect((await proxy.ended(1))[0]?.reason).toBe('client_close_code');
  });

  it('sees a drop of the function as 1011 with our text', async () => {
    await start();
    const client = new WebSocket(proxy.url);
    await once(client, 'open');
    const closed = once(client, 'close') as Promise<[CloseEvent]>;
    for (const socket of fn.clients) socket.terminate();
    expect((await closed)[0]).toMatchObject({ code: 1011, reason: '439 function exited', wasClean: true });
    expect((await proxy.ended(1))[0]?.reason).toBe('function_dropped');
  });

  it('sees a refusal as 1006, as every browser does', async () => {
    await start({ verifyClient: () => false });
    const client = new WebSocket(proxy.url);
    const closed = once(client, 'close') as Promise<[CloseEvent]>;
    client.addEventListener('error', () => {});
    expect((await closed)[0].code).toBe(1006);
    expect((await proxy.ended(1))[0]).toMatchObject({ reason: 'function_refused', httpStatus: 401 });
  });
});
