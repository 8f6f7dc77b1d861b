// What a client that means harm can make the proxy hold, in each state in which it may stay: measured in the process of `dev`, after a
// collection, and given back when the client is gone.
import { describe, expect, it } from 'vitest';
import { attachedDev } from '../support/attached.ts';
import { closeFrame, frame } from '../support/frames.ts';
import { until } from '../support/ports.ts';
import { type RawPeer, SWITCHING, upgradeHead } from '../support/raw-client.ts';

const KIB = 1024;
const EARLY = Buffer.alloc(64 * KIB);
const ANSWER = Buffer.concat([Buffer.from('HTTP/1.1 403 No\r\nContent-Length: 262144\r\n\r\n'), Buffer.alloc(256 * KIB)]);
/** More than all buffers on the way hold. */
const FLOOD = Buffer.concat([frame({ opcode: 2, payload: Buffer.alloc(3 * KIB * KIB) }), closeFrame(1000)]);
/** What a connection may hold beside the bytes that it is allowed to: sockets, parsers, timers, the record. */
const OBJECTS = 40 * KIB;

const attached = attachedDev({ probed: true });

async function connected(count: number): Promise<RawPeer[]> {
  const clients: RawPeer[] = [];
  for (let i = 0; i < count; i++) clients.push(await attached.connect());
  return clients;
}

/** Handshakes that are held: the function has seen them and says nothing. */
async function held(count: number): Promise<[client: RawPeer, fn: RawPeer][]> {
  const pairs: [RawPeer, RawPeer][] = [];
  for (let i = 0; i < count; i++) {
    const pair = await attached.request(upgradeHead('/held'));
    await pair[1].head();
    pairs.push(pair);
  }
  return pairs;
}

const ends = () => attached.dev.events.filter(({ event }) => event === 'end').length;

async function sent(peers: readonly RawPeer[]): Promise<void> {
  await until('all was taken by the kernel', () => peers.every(({ socket }) => socket.writableLength === 0));
}

interface Abuse {
  readonly what: string;
  readonly count: number;
  /** Most that one may hold, in bytes. */
  readonly most: number;
  /** Brings this many connections into the state. */
  readonly make: (count: number) => Promise<void>;
}

const ABUSES: readonly Abuse[] = [
  {
    what: 'half a head of 15 KiB',
    count: 500,
    most: 32 * KIB + OBJECTS,
    async make(count) {
      const clients = await connected(count);
      for (const client of clients) client.send(upgradeHead('/', [`X: ${'x'.repeat(15 * KIB)}`]).slice(0, -2));
      await sent(clients);
    },
  },
  {
    what: 'a held handshake with 64 KiB of early bytes',
    count: 500,
    most: 128 * KIB + OBJECTS,
    async make(count) {
      const clients = (await held(count)).map(([client]) => client);
      for (const client of clients) client.send(EARLY);
      await sent(clients);
    },
  },
  {
    what: 'a held handshake with early bytes that come one by one',
    count: 20,
    most: 16 * KIB + OBJECTS,
    async make(count) {
      const clients = (await held(count)).map(([client]) => client);
      for (let i = 0; i < 4000; i++) {
        for (const client of clients) client.send('x');
        await new Promise((resolve) => setImmediate(resolve));
      }
      await sent(clients);
    },
  },
  {
    what: 'a refusal that is not read, behind a request of 15 KiB',
    count: 500,
    most: 32 * KIB + OBJECTS,
    async make(count) {
      const clients = await connected(count);
      const request = upgradeHead('/', [`X: ${'x'.repeat(15 * KIB)}`, 'Content-Length: 1']);
      for (const client of clients) {
        client.socket.pause();
        client.send(request);
      }
      await sent(clients);
    },
  },
  {
    what: "a function's answer of 256 KiB that is not read",
    count: 100,
    most: 512 * KIB + OBJECTS,
    async make(count) {
      for (const [client, fn] of await held(count)) {
        client.socket.pause();
        fn.send(ANSWER);
      }
    },
  },
  {
    what: 'an open connection whose client does not read, and closes',
    count: 500,
    most: 192 * KIB + OBJECTS,
    async make(count) {
      const pairs = await held(count);
      for (const [client, fn] of pairs) {
        fn.send(SWITCHING);
        await client.head();
        client.socket.pause();
      }
      for (const [, fn] of pairs) {
        fn.send(FLOOD);
        await new Promise((resolve) => setImmediate(resolve));
      }
      for (const [client] of pairs) client.send(closeFrame(1000, '', true));
    },
  },
];

describe('a client', () => {
  it.each(ABUSES)('holds no more than is allowed by $what', async ({ what, count, most, make }) => {
    const before = await attached.dev.memory();
    const endedBefore = ends();
    await make(count);
    const during = await attached.dev.memory();
    const left = count - (ends() - endedBefore); // some states are over after 3 s
    expect(left, 'connections in that state').toBeGreaterThan(0);
    const each = (during.held - before.held) / left;
    console.log(
      `${what}: ${(each / KIB).toFixed(1)} KiB for each of ${left}; RSS ${((during.rss - before.rss) / KIB / KIB).toFixed(0)} MiB`,
    );
    expect(each).toBeLessThan(most);
    for (const { socket } of [...attached.clients, ...attached.backend.peers]) socket.destroy();
    await until('it is given back', async () => (await attached.dev.memory()).held - before.held < count * 2 * KIB + 2 ** 20, 20_000);
  });
});
