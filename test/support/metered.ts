// A connection to a function with limits, between bare sockets, and how it ended: what each side read, what was recorded and counted.
import { afterEach, expect } from 'vitest';
import type { CompleteSpec } from '../../src/api/types.ts';
import { attachRuntime } from '../../src/runtime/attach.ts';
import { frame } from './frames.ts';
import { served, startProxy, type TestProxy } from './proxy.ts';
import { type RawBackend, type RawPeer, rawBackend, rawConnect, SWITCHING, upgradeHead } from './raw-client.ts';

/** The limits of SCF. */
export const SCF = { maxMessageBytes: 262_144, maxBytesPerSecond: 131_072, maxMessagesPerSecond: 10, onRateExceeded: 'Close' } as const;

/** The end of a client that is over a rate. */
export const TOO_FAST = { toClient: '1008 429 rate exceeded', toFunction: '1001 429 rate exceeded', reason: 'rate_exceeded' };

/** An open connection. */
export interface Metered {
  readonly proxy: TestProxy;
  readonly client: RawPeer;
  readonly fn: RawPeer;
  /** `limit code action` of each violation. */
  violations(): string[];
  /** Both peers end as proper ones do; gives the close frames that they got behind what was passed, and the record. */
  ending(passed?: Buffer): Promise<{ toClient: string; toFunction: string; reason: string | undefined; violations: string[] }>;
}

/** Gives the call that opens a connection; what it made is removed after each test. */
export function meteredScene(): (part: Partial<CompleteSpec>) => Promise<Metered> {
  const made: { backend: RawBackend; proxy: TestProxy; client: RawPeer }[] = [];
  afterEach(async () => {
    for (const { backend, proxy, client } of made.splice(0)) {
      for (const { socket } of [client, ...backend.peers]) socket.destroy();
      await proxy.stop();
      await backend.stop();
    }
  });
  return async (part) => {
    const backend = await rawBackend();
    const proxy = await startProxy(attachRuntime('127.0.0.1', backend.port), [served('echo', part)]);
    const client = await rawConnect(proxy.port);
    made.push({ backend, proxy, client });
    client.send(upgradeHead());
    const fn = await backend.next();
    await fn.head();
    fn.send(SWITCHING);
    await client.head();
    const violations = () => proxy.violations.map(({ limit, code, action }) => `${limit} ${code} ${action}`);
    const ending = async (passed = Buffer.alloc(0)) => {
      expect((await fn.take(passed.length)).equals(passed), 'what came before the limit was passed').toBe(true);
      const toClient = await readClose(client);
      const toFunction = await readClose(fn);
      client.socket.destroy();
      fn.socket.destroy();
      const [record] = await proxy.ended(1);
      return { toClient, toFunction, reason: record?.reason, violations: violations() };
    };
    return { proxy, client, fn, violations, ending };
  };
}

/** A message of the client, in as many fragments; compressed ones have a bit set in the first (RFC 7692, section 6). */
export function message(bytes: number, fragments = 1, compressed = false): Buffer {
  const size = Math.floor(bytes / fragments);
  return Buffer.concat(
    Array.from({ length: fragments }, (_, i) =>
      frame({
        opcode: i === 0 ? 2 : 0,
        fin: i === fragments - 1,
        rsv: compressed && i === 0 ? 4 : 0,
        payload: Buffer.alloc(i === fragments - 1 ? bytes - size * i : size),
        mask: true,
      }),
    ),
  );
}

/** The close frame that comes next, as `code text`. */
export async function readClose(peer: RawPeer): Promise<string> {
  const [first, second = 0] = await peer.take(2);
  expect(first, 'a close frame').toBe(0x88);
  const masked = second >= 0x80;
  const key = masked ? await peer.take(4) : Buffer.alloc(4);
  const payload = Buffer.from((await peer.take(second & 0x7f)).map((byte, i) => byte ^ (key[i & 3] ?? 0)));
  if (payload.length === 0) return '1005'; // RFC 6455, section 7.1.5
  return `${payload.readUInt16BE(0)} ${payload.toString('latin1', 2)}`;
}
