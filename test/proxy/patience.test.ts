// Closing takes at most 3 s, everywhere: with peers who answer nothing, go on sending or do not read.
import { expect, it } from 'vitest';
import { attachRuntime } from '../../src/runtime/attach.ts';
import { someCertificates } from '../support/certificates.ts';
import { closeFrame, frame } from '../support/frames.ts';
import { until } from '../support/ports.ts';
import { served, startProxy, type TestProxy } from '../support/proxy.ts';
import { type RawPeer, rawBackend, rawConnect, SWITCHING, tlsConnect, upgradeHead } from '../support/raw-client.ts';

interface Both {
  readonly proxy: TestProxy;
  readonly client: RawPeer;
  readonly fn: RawPeer;
}

/** Runs one end from an open connection and gives the seconds until its record. */
async function ending(
  end: (both: Both) => void | Promise<void>,
  tls = false,
): Promise<{ reason: string; seconds: number; client: RawPeer; fn: RawPeer }> {
  const backend = await rawBackend();
  const certificates = tls ? await someCertificates() : undefined;
  const proxy = await startProxy(attachRuntime('127.0.0.1', backend.port), [served()], { certificates });
  const client = await (tls ? tlsConnect : rawConnect)(proxy.port);
  client.send(upgradeHead());
  const fn = await backend.next();
  await fn.head();
  fn.send(SWITCHING);
  await client.head();
  const begun = performance.now();
  await end({ proxy, client, fn });
  const [record] = await proxy.ended(1, 45_000);
  const seconds = (performance.now() - begun) / 1000;
  await proxy.stop();
  client.socket.resume(); // one that does not read does not see its end either
  fn.socket.resume();
  await until('both sockets are given up', () => (client.closed || client.ended) && (fn.closed || fn.ended), 30_000);
  client.socket.destroy();
  await backend.stop();
  return { reason: record?.reason ?? '', seconds, client, fn };
}

const FLOOD = frame({ opcode: 2, payload: Buffer.alloc(20_000_000) });
const remove = ({ proxy }: Both) => proxy.services.functions.delete('test/echo');

const IMPATIENT: readonly [string, (both: Both) => void | Promise<void>, string][] = [
  ['a function that does not answer our 1001', ({ client }) => void client.socket.destroy(), 'client_dropped'],
  ['a client that does not answer our 1011', ({ fn }) => void fn.socket.destroy(), 'function_dropped'],
  ['both, when neither answers', remove, 'function_deleted'],
  [
    'a client that does not read',
    ({ client, fn }) => {
      client.socket.pause();
      fn.socket.write(FLOOD);
      fn.socket.write(closeFrame(1000));
      client.send(closeFrame(1000, '', true));
    },
    'normal_closure',
  ],
  [
    'a function that does not read',
    ({ client, fn }) => {
      fn.socket.pause();
      client.socket.write(frame({ opcode: 2, payload: Buffer.alloc(20_000_000), mask: true }));
      fn.send(closeFrame(1000));
    },
    'normal_closure',
  ],
  [
    'a client that goes on after it broke the framing',
    ({ client }) => {
      client.send(frame({ opcode: 0, payload: 'x', mask: true }));
      client.socket.write(FLOOD);
    },
    'client_protocol_error',
  ],
  [
    'a client that has its answer and does not end',
    async ({ client, fn }) => {
      client.send(closeFrame(1000, '', true));
      await fn.take(8);
      fn.send(closeFrame(1000));
      fn.socket.end();
    },
    'normal_closure',
  ],
  [
    'a function that has its answer and does not end',
    async ({ client, fn }) => {
      fn.send(closeFrame(1000));
      await client.take(4);
      client.send(closeFrame(1000, '', true));
      client.socket.end();
    },
    'normal_closure',
  ],
  [
    'a client that pings for ever after our close',
    (both) => {
      remove(both);
      const pinging = setInterval(() => both.client.send(frame({ opcode: 9, mask: true })), 20); // until it is cut
      both.client.socket.once('close', () => clearInterval(pinging)).once('end', () => both.client.socket.destroy());
      both.fn.socket.end();
    },
    'function_deleted',
  ],
];

/** Ten times the limit: a loaded machine is slow; without a limit it would be for ever. */
const HANG_SECONDS = 30;

it.concurrent.each([false, true].flatMap((tls) => IMPATIENT.map((one) => [one[0], tls ? 'TLS' : 'plain', one[1], one[2], tls] as const)))(
  '%s is given up after 3 s, over %s',
  { timeout: 60_000 },
  async (_name, _how, end, reason, tls) => {
    const ended = await ending(end, tls);
    expect(ended.reason).toBe(reason);
    expect(ended.seconds).toBeLessThan(HANG_SECONDS);
  },
);

it.concurrent('nobody waits when both sides do as they should', async () => {
  const { reason, seconds } = await ending(async ({ client, fn }) => {
    client.send(closeFrame(1000, '', true));
    await fn.take(8);
    fn.send(closeFrame(1000));
    fn.socket.end();
    await client.take(4);
    client.socket.end();
  });
  expect(reason).toBe('normal_closure');
  expect(seconds).toBeLessThan(1);
});

it.concurrent('a refused client that does not end is given up after 3 s', async () => {
  const proxy = await startProxy(attachRuntime('127.0.0.1', 1), []);
  const client = await rawConnect(proxy.port);
  client.send(upgradeHead());
  expect(await client.head()).toContain(' 404 ');
  const begun = performance.now();
  expect((await proxy.ended(1))[0]?.reason).toBe('route_not_found');
  expect(performance.now() - begun).toBeLessThan(HANG_SECONDS * 1000);
  client.socket.destroy();
  await proxy.stop();
});
