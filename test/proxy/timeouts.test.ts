// Idle and execution, through the front door (contract part 4).
import { describe, expect, it } from 'vitest';
import { frame } from '../support/frames.ts';
import { meteredScene, readClose, SCF } from '../support/metered.ts';

const open = meteredScene();

describe('the timeouts', () => {
  it('idle: pings and pongs do not count', { timeout: 30_000 }, async () => {
    const { client, fn, proxy } = await open({ ...SCF, idleTimeoutSeconds: 1 });
    const begun = performance.now();
    const pinging = setInterval(() => client.send(frame({ opcode: 9, mask: true })), 100); // all the time
    while (!client.received.includes(0x88) && !client.closed) await new Promise((resolve) => client.socket.once('data', resolve));
    clearInterval(pinging);
    expect(performance.now() - begun).toBeLessThan(5000);
    expect(await readClose(client)).toBe('1001 455 idle timeout');
    client.socket.destroy();
    fn.socket.destroy();
    expect((await proxy.ended(1))[0]?.reason).toBe('idle_timeout');
    expect(proxy.violations).toEqual([{ function: 'test/echo', limit: 'idle_timeout', code: 455, action: 'close' }]);
  });

  it.each(['client', 'function'] as const)('idle: every byte of a message of the %s counts', { timeout: 30_000 }, async (side) => {
    const { client, fn, proxy } = await open({ ...SCF, idleTimeoutSeconds: 1 });
    const from = side === 'client' ? client : fn;
    const to = side === 'client' ? fn : client;
    const bytes = frame({ opcode: 2, payload: Buffer.alloc(8), mask: side === 'client' });
    let sent = 0;
    const sending = setInterval(() => sent < bytes.length && from.send(bytes.subarray(sent, ++sent)), 200); // 2 to 3 s for the frame
    expect((await to.take(bytes.length)).equals(bytes)).toBe(true);
    clearInterval(sending);
    expect(proxy.records).toEqual([]);
  });

  it('execution: data does not help', { timeout: 30_000 }, async () => {
    const { client, fn, proxy } = await open({ ...SCF, idleTimeoutSeconds: 1, executionTimeoutSeconds: 2 });
    const talking = setInterval(() => fn.send(frame({ opcode: 1, payload: 'x' })), 200);
    const begun = performance.now();
    while (!client.received.includes(0x88) && !client.closed) await new Promise((resolve) => client.socket.once('data', resolve));
    clearInterval(talking);
    expect(performance.now() - begun, 'not by idleness').toBeGreaterThan(1900);
    client.received = client.received.subarray(client.received.indexOf(0x88));
    expect(await readClose(client)).toBe('1001 433 execution timeout');
    expect(await readClose(fn)).toBe('1001 433 execution timeout');
    client.socket.destroy();
    fn.socket.destroy();
    expect((await proxy.ended(1))[0]?.reason).toBe('execution_timeout');
  });
});
