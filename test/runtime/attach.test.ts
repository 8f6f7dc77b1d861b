// A server that already runs, as a runtime: it keeps the contract and never ends what it did not start. And the probe under all.
import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import { describe, expect, it } from 'vitest';
import { attachRuntime } from '../../src/runtime/attach.ts';
import { isSelf, probe } from '../../src/runtime/probe.ts';
import { listenAnywhere, until } from '../support/ports.ts';
import { served } from '../support/proxy.ts';
import { SWITCHING } from '../support/raw-client.ts';
import { runContract } from './contract.ts';

/** A port on which nobody listens. */
async function freePort(): Promise<number> {
  const server = createServer();
  const port = await listenAnywhere(server);
  await new Promise((resolve) => server.close(resolve));
  return port;
}

describe('the runtime that attaches', () => {
  runContract(async () => {
    const server = createServer((socket) => socket.on('error', () => {}).once('data', () => socket.write(SWITCHING)));
    const port = await listenAnywhere(server);
    return {
      runtime: attachRuntime('127.0.0.1', port),
      works: served(),
      never: undefined,
      ownBackends: false,
      empty: () => true,
      dispose: async () => {
        expect(server.listening).toBe(true);
        await new Promise((resolve) => server.close(resolve));
      },
    };
  });

  it('waits for a server that does not listen until the start is given up', async () => {
    const runtime = attachRuntime('127.0.0.1', await freePort());
    const started = await runtime.start({ fn: served(), connectionId: 'c1', signal: AbortSignal.timeout(50) });
    expect(started).toMatchObject({ ok: false, reason: 'port_timeout' });
  });
});

describe('probe', () => {
  it('finds a server that begins to listen later, with a single connection', async () => {
    const port = await freePort();
    const found = probe('127.0.0.1', port, AbortSignal.timeout(10_000));
    await new Promise((resolve) => setImmediate(resolve));
    const server = createServer();
    const accepted: unknown[] = [];
    server.on('connection', (socket) => accepted.push(socket));
    server.listen(port, '127.0.0.1');
    const socket = await found;
    expect(socket?.remotePort).toBe(port);
    await until('the server has seen it', () => accepted.length > 0);
    expect(accepted).toHaveLength(1);
    socket?.destroy();
    await new Promise((resolve) => server.close(resolve));
  });

  it('knows a socket that is connected to itself', async () => {
    const port = await freePort();
    const self = connect({ port, host: '127.0.0.1', localPort: port, localAddress: '127.0.0.1' });
    await once(self, 'connect');
    expect(isSelf(self)).toBe(true);
    self.destroy();
  });
});
