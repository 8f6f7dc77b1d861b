// What a connection makes of its runtime: starts that come too late, backends that vanish, and that each is ended exactly once.
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Reason } from '../../src/core/outcome.ts';
import type { Backend, Runtime, Started, StartRequest } from '../../src/runtime/runtime.ts';
import { closeFrame, frame } from '../support/frames.ts';
import { until } from '../support/ports.ts';
import { served, startProxy, type TestProxy } from '../support/proxy.ts';
import { type RawBackend, type RawPeer, rawBackend, rawConnect, SWITCHING, upgradeHead } from '../support/raw-client.ts';

let backend: RawBackend;
let proxy: TestProxy;
let client: RawPeer;
/** What was said to the backend's end: true for a drop. */
const stops: boolean[] = [];
const given: Socket[] = [];

/** When the scripted runtime answers, and what its backend is like. */
interface Script {
  readonly before?: (request: StartRequest) => Promise<void>;
  readonly vanished?: Promise<void>;
  readonly noted?: () => ReturnType<Backend['noted']>;
  readonly cause?: Reason;
}

function scripted({ before, vanished, noted, cause }: Script): Runtime {
  return {
    async start(request): Promise<Started> {
      await before?.(request);
      const socket = connect({ port: backend.port, host: '127.0.0.1', allowHalfOpen: true });
      await once(socket, 'connect');
      given.push(socket);
      return {
        ok: true,
        backend: {
          name: 'scripted',
          node: 'node-1',
          start: 'cold',
          stages: {},
          socket,
          vanished: vanished ?? new Promise(() => {}),
          noted: noted ?? (() => undefined),
          opened: () => {},
          stop: (dropped) => void stops.push(dropped),
          cause: async () => ({ reason: cause ?? 'function_dropped', detail: '', lastWords: '' }),
        },
      };
    },
    close: async () => {},
  };
}

async function ask(script: Script, part = {}): Promise<void> {
  proxy = await startProxy(scripted(script), [served('echo', part)]);
  client = await rawConnect(proxy.port);
  client.send(upgradeHead());
}

async function open(script: Script): Promise<RawPeer> {
  await ask(script);
  const fn = await backend.next();
  await fn.head();
  fn.send(SWITCHING);
  expect(await client.head()).toContain(' 101 ');
  return fn;
}

/** Code and text of the close frame that the client gets. */
async function told(): Promise<[number, string]> {
  const [, length = 0] = await client.take(2);
  const payload = await client.take(length);
  return [payload.readUInt16BE(0), payload.subarray(2).toString()];
}

beforeEach(async () => {
  backend = await rawBackend();
});

afterEach(async () => {
  client.socket.destroy();
  await proxy.stop();
  await until('no socket to the function is left', () => given.every(({ destroyed }) => destroyed));
  await backend.stop();
  given.length = 0;
  stops.length = 0;
});

describe('a start', () => {
  it('that succeeds in the moment of the init timeout is a handshake that was not answered in time', async () => {
    await ask({ before: ({ signal }) => once(signal, 'abort').then(() => {}) }, { initTimeoutSeconds: 1 });
    expect(await client.head()).toMatch(/^HTTP\/1.1 504 [\s\S]*X-Socketpod-Status: 446/);
    client.socket.end();
    expect((await proxy.ended(1))[0]?.reason).toBe('handshake_timeout');
    expect(stops).toEqual([false]);
  });

  it('that succeeds after the client has left is ended, unused', async () => {
    let go = () => {};
    const gone = new Promise<void>((resolve) => {
      go = resolve;
    });
    await ask({ before: () => gone });
    await until('the handshake is held', () => proxy.services.registry.size === 1);
    client.socket.destroy();
    expect((await proxy.ended(1))[0]?.reason).toBe('client_left');
    go();
    await until('the backend was ended', () => stops.length === 1);
    expect(stops).toEqual([false]);
    expect((await backend.next()).received).toHaveLength(0);
  });

  it('that is a fault of the program is an honest 503, and the proxy lives on', async () => {
    await ask({ before: () => Promise.reject(new Error('secret words')) });
    const head = await client.head();
    expect(head).toMatch(/^HTTP\/1.1 503 [\s\S]*X-Socketpod-Status: 500[\s\S]*Retry-After: 5/);
    await client.untilClosed();
    expect(client.received.toString()).not.toContain('secret');
    client.socket.end();
    expect((await proxy.ended(1))[0]).toMatchObject({ reason: 'internal_error', detail: expect.stringContaining('secret words') });
  });

  it.each(['pod_deleted', 'pod_evicted'] as const)('whose pod is noted as %s before the answer is 503 with 439', async (noted) => {
    await ask({ noted: () => noted });
    const fn = await backend.next();
    await fn.head();
    fn.socket.destroy();
    expect(await client.head()).toMatch(/^HTTP\/1.1 503 [\s\S]*X-Socketpod-Status: 439/);
    client.socket.end();
    expect((await proxy.ended(1))[0]).toMatchObject({ reason: noted, node: 'node-1' });
  });
});

describe('a start whose pod was deleted', () => {
  it('because its function was is 438', async () => {
    await ask({ noted: () => 'pod_deleted' });
    const fn = await backend.next();
    await fn.head();
    fn.socket.destroy();
    await until('the proxy knows of it', () => given[0]?.destroyed ?? false);
    proxy.services.functions.delete('test/echo');
    expect(await client.head()).toMatch(/^HTTP\/1.1 503 [\s\S]*X-Socketpod-Status: 438/);
    client.socket.end();
    expect((await proxy.ended(1))[0]?.reason).toBe('function_deleted');
  });
});

describe('an open connection', () => {
  it('whose pod vanished is closed with 1011, though the socket looks alive', async () => {
    let vanish = () => {};
    const vanished = new Promise<void>((resolve) => {
      vanish = resolve;
    });
    await open({ vanished, cause: 'pod_deleted' });
    vanish();
    expect(await told()).toEqual([1011, '439 function exited']);
    client.send(closeFrame(1011, '', true));
    client.socket.end();
    expect((await proxy.ended(1))[0]?.reason).toBe('pod_deleted');
    expect(stops).toEqual([true]);
  });

  it('whose pod was noted as evicted goes on until it drops, then gets 1012', async () => {
    const fn = await open({ noted: () => 'pod_evicted', cause: 'function_dropped' });
    const text = frame({ opcode: 1, payload: 'still here' });
    fn.send(text);
    expect(await client.take(text.length)).toEqual(text);
    fn.socket.resetAndDestroy();
    expect(await told()).toEqual([1012, '439 pod evicted']);
    client.socket.end();
    expect((await proxy.ended(1))[0]?.reason).toBe('pod_evicted');
    expect(stops).toEqual([true]);
  });

  it('whose pod was noted as evicted and closes properly is what its close frame says', async () => {
    const fn = await open({ noted: () => 'pod_evicted' });
    fn.send(closeFrame(1000));
    expect(await told()).toEqual([1000, '']);
    client.send(closeFrame(1000, '', true));
    await fn.take(8);
    fn.socket.end();
    client.socket.end();
    expect((await proxy.ended(1))[0]?.reason).toBe('normal_closure');
    expect(stops).toEqual([false]);
  });

  it.each(['memory_limit', 'function_exited', 'pod_evicted', 'pod_deleted'] as const)('that drops is recorded as %s', async (cause) => {
    const fn = await open({ cause });
    fn.socket.destroy();
    expect((await told())[1]).toBe('439 function exited');
    client.socket.end();
    expect((await proxy.ended(1))[0]?.reason).toBe(cause);
    expect(stops).toEqual([true]);
  });

  it.each(['pod_deleted', 'function_deleted'] as const)('whose pod was deleted is recorded as %s', async (recorded) => {
    const fn = await open({ cause: 'pod_deleted' });
    fn.socket.destroy();
    expect((await told())[1]).toBe('439 function exited');
    client.socket.end();
    await client.untilClosed();
    // The watch of functions tells a moment after the pod went.
    if (recorded === 'function_deleted') setImmediate(() => proxy.services.functions.delete('test/echo'));
    expect((await proxy.ended(1))[0]?.reason).toBe(recorded);
  });

  it('ends its pod when the closing handshake with the function is over, not when the client is', async () => {
    const fn = await open({});
    fn.send(closeFrame(1000));
    await told();
    client.send(closeFrame(1000, '', true));
    await fn.take(8);
    await until('the pod was ended', () => stops.length === 1);
    expect(client.closed).toBe(false);
    client.socket.end();
    fn.socket.end();
    await proxy.ended(1);
    expect(stops).toEqual([false]);
  });
});

describe('maxConnections', () => {
  it('counts those that are open and gives a place back when one has ended', async () => {
    const fn = await open({});
    proxy.services.functions.set({ ...served('echo', { maxConnections: 1 }), uid: proxy.services.functions.all()[0]?.uid ?? '' });
    const second = await rawConnect(proxy.port);
    second.send(upgradeHead());
    expect(await second.head()).toMatch(/^HTTP\/1.1 429 [\s\S]*X-Socketpod-Status: 432[\s\S]*Retry-After: 1/);
    second.socket.end();
    fn.send(frame({ opcode: 1, payload: 'x' }));
    await client.take(3);
    fn.socket.destroy();
    client.socket.destroy();
    await proxy.ended(2);
    client = await rawConnect(proxy.port);
    client.send(upgradeHead());
    (await backend.next()).send(SWITCHING);
    expect(await client.head()).toContain(' 101 ');
    client.socket.destroy();
    await proxy.ended(3);
  });
});
