// What a client sent before its 101 is not kept once it has gone on to the function.
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { expect, it } from 'vitest';
import { attachRuntime } from '../../src/runtime/attach.ts';
import { frame } from '../support/frames.ts';
import { until } from '../support/ports.ts';
import { served, startProxy } from '../support/proxy.ts';
import { type RawPeer, rawBackend, rawConnect, SWITCHING, upgradeHead } from '../support/raw-client.ts';

setFlagsFromString('--expose-gc');
const collect: () => void = runInNewContext('gc');

it.each(['with the request', 'after the request'])('lets go of bytes that came %s', async (when) => {
  const backend = await rawBackend();
  const proxy = await startProxy(attachRuntime('127.0.0.1', backend.port), [served()]);
  const early = frame({ opcode: 2, payload: Buffer.alloc(50_000), mask: true });
  const head = Buffer.from(upgradeHead());
  const both = Buffer.concat([head, early]);
  const clients: RawPeer[] = [];
  const before = process.memoryUsage().arrayBuffers;
  for (let i = 0; i < 100; i++) {
    const client = await rawConnect(proxy.port);
    clients.push(client);
    client.send(when === 'with the request' ? both : head);
    const fn = await backend.next();
    await fn.head();
    if (when !== 'with the request') client.send(early);
    await until('all was sent', () => client.socket.writableLength === 0);
    fn.send(SWITCHING);
    await client.head();
    await fn.take(early.length);
    fn.received = Buffer.alloc(0);
    client.received = Buffer.alloc(0);
  }
  await until('less is kept than 10 KiB a connection', () => {
    collect();
    return process.memoryUsage().arrayBuffers - before < 1_000_000;
  });
  expect(proxy.services.registry.size).toBe(100);
  for (const { socket } of clients) socket.destroy();
  for (const { socket } of backend.peers) socket.destroy();
  await proxy.ended(100);
  await proxy.stop();
  await backend.stop();
});
