// The listener with TLS: who gets in, who does not, and what the function hears of it.
import { readFileSync } from 'node:fs';
import { connect as connectTcp } from 'node:net';
import type { TLSSocket } from 'node:tls';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { attachRuntime } from '../../src/runtime/attach.ts';
import { someCertificates } from '../support/certificates.ts';
import { until } from '../support/ports.ts';
import { served, startProxy, type TestProxy } from '../support/proxy.ts';
import { type RawBackend, rawBackend, rawConnect, SWITCHING, tlsConnect, upgradeHead } from '../support/raw-client.ts';

/** Of the head and of the TLS handshake: both are the listener's one deadline, each from its own beginning. */
const DEADLINE_MS = 300;
let backend: RawBackend;
let proxy: TestProxy;

beforeEach(async () => {
  backend = await rawBackend();
  const certificates = await someCertificates();
  proxy = await startProxy(attachRuntime('127.0.0.1', backend.port), [served()], { headTimeoutMs: DEADLINE_MS, certificates });
});

afterEach(async () => {
  await proxy.stop();
  await backend.stop();
});

describe('a client with TLS', () => {
  it('has its function told of https', async () => {
    const client = await tlsConnect(proxy.port);
    client.send(upgradeHead());
    const fn = await backend.next();
    expect(await fn.head()).toMatch(/\r\nx-forwarded-for: 127\.0\.0\.1\r\nx-forwarded-proto: https\r\n/i);
    fn.send(SWITCHING);
    expect(await client.head()).toContain(' 101 ');
    client.socket.destroy();
    fn.socket.destroy();
    expect((await proxy.ended(1))[0]).toMatchObject({ clientAddress: '127.0.0.1', httpStatus: 101 });
  });

  it.each(['TLSv1.2', 'TLSv1.3'] as const)('may speak %s, and of ALPN http/1.1', async (version) => {
    const client = await tlsConnect(proxy.port, { minVersion: version, maxVersion: version, ALPNProtocols: ['h2', 'http/1.1'] });
    expect((client.socket as TLSSocket).getProtocol()).toBe(version);
    expect((client.socket as TLSSocket).alpnProtocol).toBe('http/1.1');
    client.send('GET /.socketpod/health HTTP/1.1\r\nHost: a\r\n\r\n');
    expect(await client.head()).toContain(' 200 ');
    client.socket.destroy();
  });

  it('is refused with the same answers', async () => {
    const client = await tlsConnect(proxy.port);
    client.send(upgradeHead('/test/none'));
    expect(await client.head()).toContain(' 404 ');
    await client.untilClosed();
    client.socket.end();
    expect((await proxy.ended(1))[0]?.reason).toBe('route_not_found');
  });

  it.each([
    [16_384, 404],
    [16_385, 431],
  ])('with a head of %i bytes gets %i', async (bytes, status) => {
    const client = await tlsConnect(proxy.port);
    const room = bytes - upgradeHead('/test/none', ['X-Long: ']).length;
    client.send(upgradeHead('/test/none', [`X-Long: ${'x'.repeat(room)}`]));
    expect(await client.head()).toContain(` ${status} `);
    client.socket.destroy();
    await proxy.ended(1);
  });

  it('has its request head to complete in time', async () => {
    const client = await tlsConnect(proxy.port);
    client.send('GET / HTTP/1.1\r\n');
    expect(await client.head()).toContain(' 408 ');
    client.socket.destroy();
    await proxy.ended(1);
    expect(proxy.socketErrors).toEqual(['head_timeout']);
  });

  it('that vanishes is found by TCP: its connection has a keep-alive timer', async () => {
    const client = await tlsConnect(proxy.port);
    client.send(upgradeHead());
    const fn = await backend.next();
    await fn.head();
    fn.send(SWITCHING);
    await client.head();
    const hex = (port = 0) => `0100007F:${port.toString(16).toUpperCase().padStart(4, '0')}`;
    const [local, remote] = [hex(proxy.port), hex(client.socket.localPort)];
    // proc_net_tcp(5): timer 2 is keep-alive, once nothing waits for its acknowledgement.
    await until('the timer runs', () =>
      readFileSync('/proc/net/tcp', 'utf8')
        .split('\n')
        .some((line) => {
          const [, from, to, , , timer = ''] = line.trim().split(/\s+/);
          return from === local && to === remote && timer.startsWith('02:');
        }),
    );
    client.socket.destroy();
    fn.socket.destroy();
    await proxy.ended(1);
  });
});

describe('no TLS that is taken', () => {
  it.each([
    ['TLS 1.1', { minVersion: 'TLSv1', maxVersion: 'TLSv1.1', ciphers: 'DEFAULT@SECLEVEL=0' }, 'ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION'],
    ['HTTP/2 alone', { ALPNProtocols: ['h2'] }, 'ERR_SSL_TLSV1_ALERT_NO_APPLICATION_PROTOCOL'],
  ] as const)('%s is told so', async (_what, options, code) => {
    await expect(
      tlsConnect(proxy.port, { ...options, ALPNProtocols: [...('ALPNProtocols' in options ? options.ALPNProtocols : [])] }),
    ).rejects.toMatchObject({
      code,
    });
    await until('it is counted', () => proxy.socketErrors.length > 0);
    expect(proxy.socketErrors).toEqual(['tls']);
    expect(proxy.records).toEqual([]);
  });

  it.each([
    ['plain bytes', 'GET / HTTP/1.1\r\nHost: a\r\n\r\n'],
    ['a hello that stalls at its start', ''],
    ['a hello that stalls in its middle', '\x16\x03\x01\x02\x00\x01'],
  ])('%s end within the deadline, without a record', async (_what, bytes) => {
    const client = await rawConnect(proxy.port);
    client.send(bytes);
    await client.untilClosed();
    client.socket.destroy();
    await until('it is counted', () => proxy.socketErrors.length > 0);
    expect(proxy.socketErrors).toEqual(['tls']);
    expect(proxy.records).toEqual([]);
  });

  it('is not counted where a health check of TCP connects and leaves', async () => {
    for (let i = 0; i < 5; i++) {
      const client = await rawConnect(proxy.port);
      client.socket.end();
      await client.untilClosed();
      client.socket.destroy();
    }
    const stalled = await rawConnect(proxy.port);
    await stalled.untilClosed();
    stalled.socket.destroy();
    await until('the one that stalls is counted', () => proxy.socketErrors.length > 0);
    expect(proxy.socketErrors).toEqual(['tls']);
  });

  it('does not hold up a good client, however many hellos stall, and all of them are ended', async () => {
    const certificates = await someCertificates();
    const patient = await startProxy(attachRuntime('127.0.0.1', backend.port), [served()], { headTimeoutMs: 3000, certificates });
    const stalled = Array.from({ length: 2000 }, () => connectTcp(patient.port, '127.0.0.1').on('error', () => {}));
    const client = await tlsConnect(patient.port);
    client.send(upgradeHead('/test/none'));
    expect(await client.head()).toContain(' 404 ');
    expect(patient.socketErrors).toEqual([]); // none had ended yet
    client.socket.destroy();
    await until('all are counted', () => patient.socketErrors.length === stalled.length);
    expect(new Set(patient.socketErrors)).toEqual(new Set(['tls']));
    for (const socket of stalled) socket.destroy();
    await patient.ended(1);
    await patient.stop();
  });
});

it('TLS on the plain port is a bad handshake', async () => {
  const plain = await startProxy(attachRuntime('127.0.0.1', backend.port), [served()]);
  const client = await rawConnect(plain.port);
  client.send(Buffer.from([0x16, 0x03, 0x01, 0x00, 0x05, 0x01, 0x00, 0x00, 0x01, 0x03]));
  expect(await client.head()).toContain(' 400 ');
  client.socket.destroy();
  expect((await plain.ended(1))[0]).toMatchObject({ reason: 'bad_handshake', httpStatus: 400 });
  await plain.stop();
});
