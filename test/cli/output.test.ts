// What a command prints last, to a reader that is slow.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import { expect, it } from 'vitest';
import { WebSocketServer } from 'ws';
import { MAIN } from '../support/dev.ts';
import { until } from '../support/ports.ts';

const MIB = 2 ** 20;

it('prints everything before it exits, though its reader begins only when all is over', async () => {
  const server = new WebSocketServer({ host: '127.0.0.1', port: 0 });
  await once(server, 'listening');
  let closed = false;
  server.on('connection', (socket) => {
    socket.send('x'.repeat(MIB));
    socket.close(1000);
    socket.on('close', () => {
      closed = true;
    });
  });
  const { port } = server.address() as { port: number };
  const child = spawn(process.execPath, [MAIN, 'connect', `ws://127.0.0.1:${port}`], { stdio: ['pipe', 'pipe', 'ignore'] });
  const exit = once(child, 'exit');
  await until('the connection has ended', () => closed);
  expect(await text(child.stdout)).toBe(`${'x'.repeat(MIB)}\n`);
  expect(await exit).toEqual([0, null]);
  server.close();
});
