// What the data plane makes of backends that wait: they are not started, and what they need to know follows the 101.
import { expect, it } from 'vitest';
import { attachRuntime } from '../../src/runtime/attach.ts';
import type { Runtime } from '../../src/runtime/runtime.ts';
import { served, startProxy } from '../support/proxy.ts';
import { type RawPeer, rawBackend, rawConnect, SWITCHING, upgradeHead } from '../support/raw-client.ts';

it('takes no start token for one, and says that it has opened once, behind the 101', async () => {
  const backend = await rawBackend();
  const attached = attachRuntime('127.0.0.1', backend.port);
  let waits = 4;
  const said: string[] = [];
  const runtime: Runtime = {
    ...attached,
    waiting: () => waits > 0,
    async start(request) {
      waits--;
      const started = await attached.start(request);
      if (!started.ok) return started;
      return { ok: true, backend: { ...started.backend, opened: () => void said.push('opened') } };
    },
  };
  // One start a second, two at once.
  const proxy = await startProxy(runtime, [served()], {
    capacity: { maxStartsPerSecond: 1 },
    observer: { ended: () => void said.push('ended') },
  });
  const clients: RawPeer[] = [];
  const connect = async () => {
    const client = await rawConnect(proxy.port);
    clients.push(client);
    client.send(upgradeHead());
    return client;
  };
  for (let i = 0; i < 6; i++) {
    const client = await connect();
    const fn = await backend.next();
    await fn.head();
    expect(said).toHaveLength(i);
    fn.send(SWITCHING);
    expect(await client.head()).toContain(' 101 ');
    expect(said).toHaveLength(i + 1);
  }
  expect(await (await connect()).head()).toContain(' 429 ');
  for (const { socket } of [...clients, ...backend.peers]) socket.destroy();
  await proxy.ended(7);
  expect(said.filter((word) => word === 'opened')).toHaveLength(6);
  await proxy.stop();
  await backend.stop();
});

it('gives no start token back for one that refused and for which there was no other place', async () => {
  let waits = false;
  const runtime: Runtime = {
    waiting: () => waits,
    start: async () => ({ ok: false, reason: waits ? 'max_connections' : 'pod_rejected', detail: '' }),
    close: async () => {},
  };
  // One start a second, two at once.
  const proxy = await startProxy(runtime, [served()], { capacity: { maxStartsPerSecond: 1 } });
  for (let i = 0; i < 30; i++) {
    waits = i % 2 === 1;
    const client = await rawConnect(proxy.port);
    client.send(upgradeHead());
    await client.head();
    client.socket.destroy();
  }
  const reasons = (await proxy.ended(30)).map(({ reason }) => reason);
  expect(reasons.filter((reason) => reason === 'max_connections')).toHaveLength(15);
  expect(reasons.filter((reason) => reason === 'pod_rejected').length, 'two, and one for each second that this took').toBeLessThan(10);
  await proxy.stop();
});
