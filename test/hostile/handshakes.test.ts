// Hostile handshakes against the listener of `socketpod dev`: each gets exactly the contract's answer and is recorded once, none that
// is refused reaches the function, and the next client does not notice.
import { describe, expect, it } from 'vitest';
import { attachedDev } from '../support/attached.ts';
import { until } from '../support/ports.ts';
import { type RawPeer, SWITCHING, upgradeHead } from '../support/raw-client.ts';
import { HANDSHAKES } from './handshakes.ts';
import { type Hostile, MALFORMED, type Refused, TOO_SLOW } from './table.ts';

const attached = attachedDev();

/** Holds the answer to a client and what is recorded of it against the contract's. */
async function refused(client: RawPeer, { status, code, reason }: Refused): Promise<void> {
  const head = await client.head();
  const header = (name: string) => new RegExp(`^${name}: (.*)\r$`, 'im').exec(head)?.[1];
  await client.untilClosed();
  const body = JSON.parse(client.received.toString());
  expect([Number(head.split(' ')[1]), body.statusCode, Number(header('X-Socketpod-Status'))], head).toEqual([status, code, code]);
  expect([header('Connection'), header('Cache-Control'), header('Content-Type'), header('Retry-After')]).toEqual([
    'close',
    'no-store',
    'application/json',
    undefined,
  ]);
  if (status === 426) expect([header('Upgrade'), header('Sec-WebSocket-Version')]).toEqual(['websocket', '13']);
  expect(body.requestId).toBe(header('X-Request-Id'));
  client.socket.end();
  expect(await ended(body.requestId)).toMatchObject({ reason, code, httpStatus: status });
}

/** Answers the request as its function, and ends the connection when both have seen the 101; gives the request's id. */
async function opening(client: RawPeer, fn: RawPeer, { sees = /^GET /, hides }: Partial<Hostile> = {}): Promise<string> {
  const request = await fn.head();
  expect(request).toMatch(/^GET \/[^ ]* HTTP\/1\.1\r\n(?:[!-9;-~]+: [^\r\n\0]*\r\n)+\r\n$/);
  expect(request).toMatch(sees);
  if (hides) expect(request).not.toMatch(hides);
  fn.send(SWITCHING);
  const head = await client.head();
  expect(head).toContain(' 101 ');
  for (const { socket } of [client, fn]) socket.destroy();
  const [id, ...others] = [...request.matchAll(/^x-request-id: (.*)\r$/gm)].map((match) => match[1] ?? '');
  expect(others, 'exactly one request id').toEqual([]);
  return id ?? '';
}

/** Waits for the end that `dev` tells of this request. */
async function ended(id: string): Promise<object> {
  return attached.dev.event('end', (event) => event.id === id);
}

/** A proper client gets through, and is the next one that the function sees. */
async function nextOpens(): Promise<void> {
  const [client, fn] = await attached.request(upgradeHead('/next'));
  await ended(await opening(client, fn, { sees: /^GET \/next / }));
}

const ends = () => attached.dev.events.filter(({ event }) => event === 'end').length;

describe.each(Object.entries(HANDSHAKES))('of %s', (_group, rows) => {
  it.each(rows)('$name', async (row) => {
    const before = { reached: attached.backend.peers.length, ends: ends() };
    const client = await attached.connect();
    client.send(row.bytes);
    if (row.answer === 'opens') await ended(await opening(client, await attached.backend.next(), row));
    else {
      await refused(client, row.answer);
      expect(attached.backend.peers.length, 'connections to the function').toBe(before.reached);
    }
    expect(client.received.toString('latin1'), 'one answer').not.toMatch(/HTTP\/1\.1 [0-9]/);
    await nextOpens();
    expect(ends() - before.ends, 'records').toBe(2);
  });
});

it('are many, under names of their own', () => {
  const rows = Object.values(HANDSHAKES).flat();
  expect(rows.length).toBeGreaterThan(80);
  expect(new Set(rows.map(({ bytes }) => bytes.toString('latin1'))).size).toBe(rows.length);
});

describe('a client that is slow', () => {
  /** Sends byte by byte, each in a packet of its own. */
  async function drip(client: RawPeer, bytes: string): Promise<void> {
    for (const byte of bytes) {
      client.send(byte);
      await new Promise((resolve) => setImmediate(resolve));
    }
  }

  it('opens when its handshake is whole', async () => {
    const client = await attached.connect();
    await drip(client, upgradeHead('/slow'));
    await ended(await opening(client, await attached.backend.next(), { sees: /^GET \/slow / }));
  });

  it('is refused as a fast one', async () => {
    const client = await attached.connect();
    await drip(client, upgradeHead('/slow', ['Content-Length: 1']));
    await refused(client, MALFORMED);
  });

  it('has 10 s for its head, whatever it sends meanwhile', async () => {
    const heads = ['', '\r\n', 'GET ', upgradeHead('/').slice(0, -2), `${upgradeHead('/').slice(0, -4)}\r\nX:`, '\r\n'.repeat(20_000)];
    const clients = await Promise.all(heads.map(() => attached.connect()));
    clients.forEach((client, i) => void client.send(heads[i] ?? ''));
    const begun = performance.now();
    await until('408 has come to all of them', () => clients.every(({ received }) => received.length > 0), 15_000);
    expect(performance.now() - begun).toBeGreaterThan(9000);
    for (const client of clients) await refused(client, TOO_SLOW);
    await nextOpens();
  });
});

it('over 64 KiB of early bytes are refused, and the function hears no more', async () => {
  const [client, fn] = await attached.request(upgradeHead('/early'));
  await fn.head();
  client.send(Buffer.alloc(65_537));
  await refused(client, MALFORMED);
  await fn.untilClosed();
  expect(fn.received).toHaveLength(0);
  await nextOpens();
});
