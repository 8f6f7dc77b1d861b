// The admin port of a running `dev`: the list of connections, also where it is longer than one piece.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { startDev } from '../support/dev.ts';
import { until } from '../support/ports.ts';
import { rawBackend, rawConnect, SWITCHING, upgradeHead } from '../support/raw-client.ts';

const FUNCTION = `
apiVersion: socketpod.dev/v1alpha1
kind: WebSocketFunction
metadata: { name: echo, namespace: test }
spec: { maxConnections: 300, template: { spec: { containers: [{ name: function }] } } }
`;

it.each([0, 1, 100, 250])('lists each of %i connections once', async (count) => {
  const folder = mkdtempSync(join(tmpdir(), 'socketpod-'));
  writeFileSync(join(folder, 'echo.yaml'), FUNCTION);
  const backend = await rawBackend();
  const dev = await startDev(['-f', folder, '--attach', `127.0.0.1:${backend.port}`, '--admin', '127.0.0.1:0']);
  const { admin } = await dev.event('listening');
  const clients = await Promise.all(Array.from({ length: count }, () => rawConnect(dev.port)));
  for (const client of clients) client.send(upgradeHead());
  for (let i = 0; i < count; i++) {
    const fn = await backend.next();
    await fn.head();
    fn.send(SWITCHING);
  }
  const opened = () => dev.events.filter(({ event }) => event === 'open').map(({ id }) => id);
  await until('all are open', () => opened().length === count);

  const { connections } = (await (await fetch(`http://${admin}/connections`)).json()) as { connections: { id: string; state: string }[] };
  expect(connections.map(({ id }) => id).sort()).toEqual(opened().sort());
  expect(connections.every(({ state }) => state === 'Open')).toBe(true);

  for (const { socket } of [...clients, ...backend.peers]) socket.destroy();
  expect(await dev.stop()).toBe(0);
  await backend.stop();
  rmSync(folder, { recursive: true });
});
