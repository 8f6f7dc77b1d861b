// A client over its rate is held back: in order, nothing lost, and only for so long (contract part 4).
import { describe, expect, it } from 'vitest';
import { closeFrame, frame } from '../support/frames.ts';
import { message, meteredScene, SCF, TOO_FAST } from '../support/metered.ts';
import { until } from '../support/ports.ts';
import { served } from '../support/proxy.ts';

const open = meteredScene();

describe('throttle', () => {
  const THROTTLE = { ...SCF, onRateExceeded: 'Throttle' } as const;

  it('passes 100 messages that came at once in order, at 10 a second, and counts one violation a second', async () => {
    const { client, fn, proxy } = await open(THROTTLE);
    const texts = Array.from({ length: 100 }, (_, i) => frame({ opcode: 1, payload: `message ${String(i).padStart(3, '0')}`, mask: true }));
    const all = Buffer.concat(texts);
    const begun = performance.now();
    client.send(all);
    expect((await fn.take((texts[0]?.length ?? 0) * 10)).equals(all.subarray(0, (texts[0]?.length ?? 0) * 10))).toBe(true);
    expect(performance.now() - begun, 'the first 10 at once').toBeLessThan(1000);
    const rest = all.subarray((texts[0]?.length ?? 0) * 10);
    expect((await fn.take(rest.length)).equals(rest)).toBe(true);
    expect(performance.now() - begun).toBeGreaterThan(8900);
    expect(proxy.violations.length).toBeGreaterThanOrEqual(8);
    expect(proxy.violations.length).toBeLessThanOrEqual(10);
    expect(proxy.violations[0]).toEqual({ function: 'test/echo', limit: 'messages_per_second', code: 429, action: 'throttle' });
  });

  it('holds the client back until its debt of bytes is paid, and loses nothing', async () => {
    const { client, fn, proxy, violations } = await open({ ...THROTTLE, maxMessageBytes: 100_000, maxBytesPerSecond: 100_000 });
    const two = Buffer.concat([message(100_000), message(50_000)]);
    const begun = performance.now();
    client.send(Buffer.concat([two, message(10)]));
    expect((await fn.take(two.length)).equals(two)).toBe(true);
    await fn.take(message(10).length);
    expect(performance.now() - begun).toBeLessThan(5000);
    expect(violations()).toEqual(['bytes_per_second 429 throttle']);
    const traffic = proxy.services.registry.traffic(served());
    expect(traffic.throttledMs).toBeGreaterThan(100);
    expect(traffic.up).toEqual({ messages: 3, bytes: 150_010 });
  });

  it('ends a client that has not caught up for 30 s', { timeout: 60_000 }, async () => {
    const { client, fn, ending, violations } = await open({ ...THROTTLE, maxMessagesPerSecond: 1 });
    const begun = performance.now();
    client.send(Buffer.concat(Array.from({ length: 100 }, () => message(1))));
    expect(await fn.take(1)).toBeDefined();
    await until('the close frame has come', () => client.received.length > 2, 45_000);
    expect(performance.now() - begun).toBeGreaterThan(29_900);
    fn.received = fn.received.subarray(fn.received.lastIndexOf(0x88));
    expect(await ending()).toMatchObject(TOO_FAST);
    expect(violations().at(-1)).toBe('messages_per_second 429 close');
  });

  it('passes what is kept when the function closes, so that the client answers', async () => {
    const { client, fn, proxy } = await open(THROTTLE);
    const twelve = Buffer.concat(Array.from({ length: 12 }, () => message(5)));
    const answer = closeFrame(1000, '', true);
    client.send(Buffer.concat([twelve, answer]));
    await fn.take(message(5).length * 10);
    fn.send(closeFrame(1000));
    await fn.take(message(5).length * 2 + answer.length);
    fn.socket.end();
    client.socket.end();
    expect((await proxy.ended(1))[0]).toMatchObject({
      reason: 'normal_closure',
      clientCloseCode: 1000,
      functionCloseCode: 1000,
      messagesUp: 12,
    });
  });
});
