// The entrance before the listeners: load balancers of ours, the PROXY protocol, and sockets per address.
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { parseRange, type Range } from '../../src/core/address.ts';
import { Entrance, type EntranceOptions } from '../../src/proxy/entrance.ts';
import { attachRuntime } from '../../src/runtime/attach.ts';
import { someCertificates } from '../support/certificates.ts';
import { until } from '../support/ports.ts';
import { served, startProxy, type TestProxy } from '../support/proxy.ts';
import { proxyHeader, TCP4, TCP6 } from '../support/proxy-header.ts';
import { type RawBackend, type RawPeer, rawBackend, rawConnect, SWITCHING, tlsConnect, upgradeHead } from '../support/raw-client.ts';

const ours = (...texts: string[]) => texts.map((text) => parseRange(text) as Range);
const LOCAL_IS_OURS = ours('127.0.0.0/8', '10.0.0.0/8');
const clients: RawPeer[] = [];
let backend: RawBackend;
let proxy: TestProxy;

beforeEach(async () => {
  backend = await rawBackend();
});

afterEach(async () => {
  for (const { socket } of [...clients.splice(0), ...backend.peers]) socket.destroy();
  await proxy.stop();
  await backend.stop();
});

async function start(options: EntranceOptions, tls = false): Promise<void> {
  const certificates = tls ? await someCertificates() : undefined;
  const listener = { entrance: new Entrance({ headerTimeoutMs: 300, ...options }), certificates };
  proxy = await startProxy(attachRuntime('127.0.0.1', backend.port), [served()], listener);
}

/** Connects, and sends these bytes before TLS or a request. */
async function connect(bytes: Uint8Array = Buffer.alloc(0)): Promise<RawPeer> {
  const client = await rawConnect(proxy.port);
  clients.push(client);
  client.send(bytes);
  return client;
}

/** The forwarding lines that the function sees, and the address in the record. */
async function seen(client: RawPeer, lines: readonly string[] = []): Promise<{ forwarded: string[]; clientAddress: string | undefined }> {
  client.send(upgradeHead('/test/echo', lines));
  const fn = await backend.next();
  const head = await fn.head();
  fn.send(SWITCHING);
  await client.head();
  fn.socket.destroy();
  client.socket.destroy();
  const [record] = await proxy.ended(1);
  return {
    forwarded: head
      .split('\r\n')
      .filter((line) => line.startsWith('x-forwarded'))
      .sort(),
    clientAddress: record?.clientAddress,
  };
}

const SAID = ['X-Forwarded-For: 198.51.100.1, 203.0.113.9, 10.0.0.2', 'X-Forwarded-Proto: https', 'X-Forwarded-Host: pub.example'];

describe('X-Forwarded-*', () => {
  it('of a proxy of ours is believed and appended to', async () => {
    await start({ trustedProxies: LOCAL_IS_OURS });
    expect(await seen(await connect(), SAID)).toEqual({
      clientAddress: '203.0.113.9',
      forwarded: [
        'x-forwarded-for: 198.51.100.1, 203.0.113.9, 10.0.0.2, 127.0.0.1',
        'x-forwarded-host: pub.example',
        'x-forwarded-proto: https',
      ],
    });
  });

  it('of anybody else is dropped', async () => {
    await start({ trustedProxies: ours('10.0.0.0/8', '::/0') });
    expect(await seen(await connect(), SAID)).toEqual({
      clientAddress: '127.0.0.1',
      forwarded: ['x-forwarded-for: 127.0.0.1', 'x-forwarded-host: proxy.example', 'x-forwarded-proto: http'],
    });
  });

  it('names the client of a refusal too', async () => {
    await start({ trustedProxies: LOCAL_IS_OURS });
    const client = await connect();
    client.send(upgradeHead('/test/none', SAID));
    await client.untilClosed();
    client.socket.destroy();
    expect((await proxy.ended(1))[0]).toMatchObject({ reason: 'route_not_found', clientAddress: '203.0.113.9' });
  });
});

describe.each([
  ['plain', false],
  ['TLS', true],
])('a PROXY protocol header, %s', (_how, tls) => {
  const secured = (client: RawPeer) => (tls ? tlsConnect(client) : client);

  it.each([
    ['in the packet of what follows', true],
    ['in single bytes', false],
  ])('says who the client is, %s', async (_what, atOnce) => {
    await start({ trustedProxies: LOCAL_IS_OURS, proxyProtocol: true }, tls);
    const header = proxyHeader({ family: 0x21, rest: TCP6 });
    const client = await connect(atOnce ? header : header.subarray(0, 1));
    if (!atOnce) for (const byte of header.subarray(1)) client.send(Buffer.from([byte]));
    const { clientAddress, forwarded } = await seen(await secured(client), SAID);
    expect(clientAddress).toBe('2001:db8::9'); // who is no proxy of ours: what it says of others does not count
    expect(forwarded[0]).toBe('x-forwarded-for: 2001:db8::9');
  });

  it('is no part of the request head, which may be 16 KiB beside it', async () => {
    await start({ trustedProxies: LOCAL_IS_OURS, proxyProtocol: true }, tls);
    const rest = [...TCP4, ...Array<number>(1000).fill(0)];
    const client = await secured(await connect(proxyHeader({ rest })));
    const room = 16_384 - upgradeHead('/test/none', ['X-Long: ']).length;
    client.send(upgradeHead('/test/none', [`X-Long: ${'x'.repeat(room)}`]));
    expect(await client.head()).toContain(' 404 ');
    client.socket.destroy();
    await proxy.ended(1);
  });

  it('may be that of the load balancer itself', async () => {
    await start({ trustedProxies: LOCAL_IS_OURS, proxyProtocol: true }, tls);
    const { clientAddress } = await seen(await secured(await connect(proxyHeader({ command: 0x20, family: 0, rest: [] }))));
    expect(clientAddress).toBe('127.0.0.1');
  });

  it('may tell of a proxy of ours, which tells of its client', async () => {
    await start({ trustedProxies: LOCAL_IS_OURS, proxyProtocol: true }, tls);
    const rest = [10, 9, 9, 9, 10, 0, 0, 1, 0, 80, 0, 80];
    const { clientAddress, forwarded } = await seen(await secured(await connect(proxyHeader({ rest }))), SAID);
    expect(clientAddress).toBe('203.0.113.9');
    expect(forwarded[0]).toBe('x-forwarded-for: 198.51.100.1, 203.0.113.9, 10.0.0.2, 10.9.9.9');
  });

  it('is not asked of others', async () => {
    await start({ trustedProxies: ours('10.0.0.0/8'), proxyProtocol: true }, tls);
    expect((await seen(await secured(await connect()))).clientAddress).toBe('127.0.0.1');
  });

  it.each<[string, Uint8Array]>([
    ['that is missing', Buffer.from(upgradeHead())],
    ['of version 1', Buffer.from('PROXY TCP4 203.0.113.9 10.0.0.1 4660 443\r\n')],
    ['for UDP', proxyHeader({ family: 0x12 })],
    ['that is not complete in time', proxyHeader().subarray(0, 20)],
    ['that does not come', Buffer.alloc(0)],
  ])('%s ends the socket', async (_what, bytes) => {
    await start({ trustedProxies: LOCAL_IS_OURS, proxyProtocol: true }, tls);
    const client = await connect(bytes);
    await until('it is closed', () => client.closed || client.ended);
    expect(client.received).toHaveLength(0);
    await until('it is counted', () => proxy.socketErrors.length > 0);
    expect(proxy.socketErrors).toEqual(['malformed']);
    expect(proxy.records).toEqual([]);
  });
});

describe('sockets of an address', () => {
  const closed = (client: RawPeer) => until('it is closed', () => client.closed || client.ended);

  it.each([
    ['plain', false],
    ['TLS', true],
  ])('are as many as it may have, %s', async (_how, tls) => {
    await start({ maxPerAddress: 3 }, tls);
    const [first] = await Promise.all([connect(), connect(), connect()]);
    const fourth = await connect();
    await closed(fourth);
    expect(fourth.received).toHaveLength(0);
    expect(proxy.socketErrors).toEqual(['overload']);
    first.socket.destroy();
    // Its place is free once its end has come here.
    await until('another one gets in', async () => {
      const again = tls ? await tlsConnect(proxy.port).catch(() => undefined) : await connect();
      again?.send('GET /.socketpod/health HTTP/1.1\r\nHost: a\r\n\r\n');
      await again?.untilClosed();
      return again?.received.includes(' 200 ') ?? false;
    });
  });

  it('are counted by the address that the PROXY protocol tells, of IPv6 by its /64', async () => {
    await start({ trustedProxies: LOCAL_IS_OURS, proxyProtocol: true, maxPerAddress: 1 });
    const from = (last: number, subnet = 0) => {
      const rest = TCP6.with(15, last).with(7, subnet);
      return connect(Buffer.concat([proxyHeader({ family: 0x21, rest }), Buffer.from('GET / ')]));
    };
    const first = await from(1);
    await until('it is in', () => first.socket.bytesWritten > 0);
    await closed(await from(2));
    const neighbour = await from(1, 1);
    neighbour.send('HTTP/1.1\r\nHost: a\r\n\r\n');
    expect(await neighbour.head()).toContain(' 404 ');
    expect(proxy.socketErrors).toEqual(['overload']);
    neighbour.socket.destroy();
    await proxy.ended(1);
  });

  it('do not count for a load balancer of ours, where all clients have its address', async () => {
    await start({ trustedProxies: LOCAL_IS_OURS, maxPerAddress: 1 });
    for (let i = 0; i < 5; i++) {
      const client = await connect(Buffer.from('GET /.socketpod/health HTTP/1.1\r\nHost: a\r\n'));
      if (i < 4) continue;
      client.send('\r\n');
      expect(await client.head()).toContain(' 200 ');
    }
    expect(proxy.socketErrors).toEqual([]);
  });
});
