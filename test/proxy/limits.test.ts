// The limits of a live socket that end it, through the front door: sizes and rates (contract parts 2 and 4).
import { describe, expect, it } from 'vitest';
import { frame } from '../support/frames.ts';
import { message, meteredScene, readClose, SCF, TOO_FAST } from '../support/metered.ts';
import { until } from '../support/ports.ts';

const open = meteredScene();

const TOO_LARGE = {
  toClient: '1009 406 request too large',
  toFunction: '1001 406 request too large',
  reason: 'request_too_large',
  violations: ['message_size_up 406 close'],
};

describe('from rest', () => {
  const KINDS = [
    [1, false],
    [1000, false],
    [1, true],
    [1000, true],
  ] as const;

  it.each(KINDS)('262,144 bytes in %i fragments pass (compressed: %s), and the connection goes on', async (fragments, compressed) => {
    const { client, fn, proxy } = await open(SCF);
    const whole = message(262_144, fragments, compressed);
    client.send(whole);
    expect((await fn.take(whole.length)).equals(whole)).toBe(true);
    fn.send(frame({ opcode: 1, payload: 'still here' }));
    expect((await client.take(12)).toString('latin1', 2)).toBe('still here');
    expect(proxy.violations).toEqual([]);
  });

  it.each([false, true])('one byte more is 406 as one message (compressed: %s): nothing of it is passed', async (compressed) => {
    const { client, ending } = await open(SCF);
    client.send(message(262_145, 1, compressed));
    expect(await ending()).toEqual(TOO_LARGE);
  });

  it.each([false, true])('one byte more is 406 in 1,000 fragments (compressed: %s): the last is not passed', async (compressed) => {
    const { client, ending } = await open(SCF);
    const whole = message(262_145, 1000, compressed);
    const last = frame({ opcode: 0, payload: Buffer.alloc(262_145 - 999 * 262), mask: true });
    client.send(whole);
    expect(await ending(whole.subarray(0, whole.length - last.length))).toEqual(TOO_LARGE);
  });

  it('one byte more is 429 as two messages', async () => {
    // Refilled so slowly that no byte is added while 262,144 of them are read.
    const { client, ending } = await open({ ...SCF, maxBytesPerSecond: 1 });
    const first = message(262_144);
    client.send(Buffer.concat([first, message(1)]));
    expect(await ending(first)).toEqual({ ...TOO_FAST, violations: ['bytes_per_second 429 close'] });
  });

  it('10 messages pass at once, and the 11th is 429', async () => {
    const { client, ending } = await open(SCF);
    const ten = Buffer.concat(Array.from({ length: 10 }, () => message(5)));
    client.send(Buffer.concat([ten, message(6)]));
    expect(await ending(ten)).toEqual({ ...TOO_FAST, violations: ['messages_per_second 429 close'] });
  });

  it('2,000 frames pass at once, and the 2,001st is 429: a flood of pings', async () => {
    const { client, fn, ending } = await open(SCF);
    const ping = frame({ opcode: 9, mask: true });
    const pings = Buffer.concat(Array.from({ length: 2000 }, () => ping));
    client.send(Buffer.concat([pings, ...Array.from({ length: 3000 }, () => ping)]));
    await fn.take(pings.length);
    while (fn.received[0] === 0x89) await fn.take(ping.length); // what time has added meanwhile
    expect(await ending()).toEqual({
      toClient: '1008 429 frame rate exceeded',
      toFunction: '1001 429 frame rate exceeded',
      reason: 'frame_rate_exceeded',
      violations: ['frames_per_second 429 close'],
    });
  });
});

describe('a message of the function', () => {
  it('over maxMessageBytes is 407', async () => {
    const { client, fn, ending } = await open({ ...SCF, maxMessageBytes: 100 });
    const fine = frame({ opcode: 2, payload: Buffer.alloc(100) });
    fn.send(Buffer.concat([fine, frame({ opcode: 2, payload: Buffer.alloc(101) })]));
    expect((await client.take(fine.length)).equals(fine)).toBe(true);
    expect(await ending()).toEqual({
      toClient: '1009 407 response too large',
      toFunction: '1009 407 response too large',
      reason: 'response_too_large',
      violations: ['message_size_down 407 close'],
    });
  });

  it('is under no rate', async () => {
    const { client, fn } = await open({ ...SCF, maxMessageBytes: 100 });
    const many = Buffer.concat(Array.from({ length: 3000 }, () => frame({ opcode: 2, payload: Buffer.alloc(100) })));
    fn.send(many);
    expect((await client.take(many.length)).equals(many)).toBe(true);
  });
});

describe('a byte rate that is passed in the middle of a frame', () => {
  it('costs the function its close frame, as nothing may stand in a frame', async () => {
    const { client, fn, proxy } = await open({ ...SCF, maxMessageBytes: 1000, maxBytesPerSecond: 1000 });
    const begun = frame({ opcode: 2, length: 1000n, mask: true });
    client.send(message(500));
    client.send(Buffer.concat([begun, Buffer.alloc(100)]));
    await fn.take(message(500).length + begun.length + 100);
    client.send(Buffer.alloc(700));
    expect(await readClose(client)).toBe('1008 429 rate exceeded');
    await fn.untilClosed();
    client.socket.destroy();
    expect((await proxy.ended(1))[0]?.reason).toBe('rate_exceeded');
  });
});

describe('a steady client', () => {
  it.each(['Close', 'Throttle'] as const)(
    'sends 10 messages and 131,070 bytes a second for 10 s without a violation (%s)',
    async (onRateExceeded) => {
      const { client, fn, violations } = await open({ ...SCF, onRateExceeded });
      const one = message(13_107);
      const begun = performance.now();
      let sent = 0;
      const sending = setInterval(() => {
        for (; sent < 100 && performance.now() - begun >= sent * 100; sent++) client.send(one);
      }, 5);
      await until('all has come', () => fn.received.length >= 100 * one.length || client.closed, 20_000);
      clearInterval(sending);
      expect(fn.received.equals(Buffer.concat(Array(100).fill(one)))).toBe(true);
      expect(violations()).toEqual([]);
    },
  );
});
