// Back-pressure: with a reader that does not read, the relay holds one chunk and not what is sent.
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { frame } from '../support/frames.ts';
import { rawBackend, rawConnect, SWITCHING, upgradeHead } from '../support/raw-client.ts';

const MIB = 2 ** 20;

it.each(['client', 'function'])('holds less than 1 MiB when the %s does not read and 100 MiB are sent', async (stalled) => {
  const backend = await rawBackend();
  const relay = fork(join(import.meta.dirname, '..', 'support', 'relay-process.ts'), [String(backend.port)], {
    execPath: process.execPath,
    execArgv: ['--expose-gc'], // what is held is measured, not what waits for the collector
  });
  const [{ port }] = (await once(relay, 'message')) as [{ port: number }];
  const client = await rawConnect(port);
  client.send(upgradeHead());
  const fn = await backend.next();
  await fn.head();
  fn.send(SWITCHING);
  await client.head();

  const [sender, reader] = stalled === 'client' ? [fn, client] : [client, fn];
  reader.socket.pause();
  let sent = 0;
  let held = 0;
  const chunk = frame({ opcode: 2, payload: Buffer.alloc(MIB), mask: sender === client });
  while (sent < 100) {
    if (!sender.socket.write(chunk)) {
      // Either the kernel takes it within a moment, or everything on the way is full: then more is queued here, not in the relay.
      const drained = await once(sender.socket, 'drain', { signal: AbortSignal.timeout(50) }).catch(() => undefined);
      if (!drained) held++;
    }
    sent++;
  }
  expect(held, 'the sender was held back').toBeGreaterThan(50);
  relay.send('tell');
  const [{ mostHeld, grown, peak }] = (await once(relay, 'message')) as [{ mostHeld: number; grown: number; peak: number }];
  console.log(
    `${stalled} stalled: ${(mostHeld / 1024).toFixed(0)} KiB queued, array buffers grew by ${(grown / 1024).toFixed(0)} KiB, ${(peak / 1024).toFixed(0)} with garbage`,
  );
  expect(mostHeld).toBeGreaterThan(0);
  expect(mostHeld).toBeLessThan(MIB);
  expect(grown).toBeLessThan(4 * MIB);

  client.socket.destroy();
  fn.socket.destroy();
  relay.kill();
  await once(relay, 'exit');
  await backend.stop();
});
