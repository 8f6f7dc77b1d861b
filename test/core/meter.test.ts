// The limits of a connection, with time as an argument: buckets, message sizes, throttling and timeouts (contract part 4).
import { describe, expect, it } from 'vitest';
import { Bucket, MessageSize, RateMeter, type RateSpec, timeoutOf } from '../../src/core/meter.ts';
import { randomBy } from '../support/frames.ts';

const SCF: RateSpec = { maxMessageBytes: 262_144, maxBytesPerSecond: 131_072, maxMessagesPerSecond: 10, onRateExceeded: 'Close' };
const HOUR = 3_600_000;

function meter(part: Partial<RateSpec> = {}, maxFrames = 2000): RateMeter {
  return new RateMeter({ ...SCF, ...part }, maxFrames, 0);
}

describe('the size of a message', () => {
  it.each<[string, [begins: boolean, length: number][], boolean]>([
    ['exactly the most', [[true, 100]], true],
    ['one byte more', [[true, 101]], false],
    ['a length of 2^53 - 1', [[true, Number.MAX_SAFE_INTEGER]], false],
    ['an empty message', [[true, 0]], true],
    [
      'fragments that sum up to the most',
      [
        [true, 40],
        [false, 60],
        [false, 0],
      ],
      true,
    ],
    [
      'fragments that sum up to one more',
      [
        [true, 40],
        [false, 60],
        [false, 1],
      ],
      false,
    ],
    [
      'two messages, each of the most',
      [
        [true, 100],
        [true, 100],
      ],
      true,
    ],
  ])('%s', (_name, frames, passes) => {
    const size = new MessageSize(100);
    expect(frames.map(([begins, length]) => size.frame(begins, length)).at(-1)).toBe(passes);
  });

  it('sums a thousand fragments', () => {
    const size = new MessageSize(262_144);
    for (let i = 0; i < 1000; i++) expect(size.frame(i === 0, 262)).toBe(true);
    expect(size.frame(false, 144)).toBe(true);
    expect(size.frame(false, 1)).toBe(false);
  });
});

describe('a bucket', () => {
  it('is full at first, is refilled by time, and holds no more than its capacity', () => {
    const bucket = new Bucket(10, 20, 1000);
    expect(bucket.tokens).toBe(20);
    bucket.tokens -= 25;
    bucket.refill(1500);
    expect(bucket.tokens).toBe(0);
    expect(bucket.msUntil(1)).toBe(100);
    bucket.refill(60_000);
    expect(bucket.tokens).toBe(20);
    expect(bucket.msUntil(1)).toBe(0);
  });

  it('takes no harm from a clock that stands or goes back', () => {
    const bucket = new Bucket(10, 10, 1000);
    bucket.tokens = 0;
    bucket.refill(1000);
    bucket.refill(500);
    expect(bucket.tokens).toBe(0);
  });
});

describe('the rates', () => {
  it('let 262,144 bytes pass from rest, and not one more', () => {
    const rates = meter();
    expect(rates.payload(262_144)).toBe(true);
    expect(rates.payload(1)).toBe(false);
  });

  it('hold one second of bytes where that is more than a message', () => {
    const rates = meter({ maxMessageBytes: 10 });
    expect(rates.payload(131_072)).toBe(true);
    expect(rates.payload(1)).toBe(false);
  });

  it('let 10 messages pass at once, and not the 11th', () => {
    const rates = meter();
    expect(Array.from({ length: 11 }, () => rates.message())).toEqual([...Array(10).fill(true), false]);
    expect(rates.over).toBe('messages_per_second');
  });

  it('count every frame, up to their own rate', () => {
    const rates = meter({}, 3);
    expect([rates.frame(), rates.frame(), rates.frame(), rates.frame()]).toEqual([true, true, true, false]);
  });

  it('run an hour at a steady 10 messages and 131,072 bytes a second without a violation, whatever the jitter', () => {
    const random = randomBy(7);
    const rates = meter();
    for (let i = 0; i < 36_000; i++) {
      rates.at(i * 100 + random() * 50);
      expect(rates.message() && rates.payload(i % 10 === 0 ? 13_112 : 13_106), `message ${i}`).toBe(true);
    }
  });

  it('see 1 % more than the rate within an hour', () => {
    const rates = meter();
    const over = (take: () => boolean, everyMs: number) => {
      for (let now = 0; now < HOUR; now += everyMs) {
        rates.at(now);
        if (!take()) return now;
      }
      return undefined;
    };
    expect(over(() => rates.message(), 99)).toBeLessThan(HOUR);
    expect(over(() => rates.payload(132_383), 1000)).toBeLessThan(HOUR);
  });
});

describe('a throttled client', () => {
  const throttle = () => meter({ onRateExceeded: 'Throttle' });

  it('waits for the next token of the messages', () => {
    const rates = throttle();
    for (let i = 0; i < 10; i++) rates.message();
    rates.hold();
    expect(rates.wakeAt).toBe(100);
    rates.at(99);
    expect(rates.message()).toBe(false);
    rates.at(100);
    expect(rates.message()).toBe(true);
  });

  it('waits until its debt of bytes is paid', () => {
    const rates = throttle();
    rates.payload(262_144 + 65_536);
    expect(rates.inDebt).toBe(true);
    rates.hold();
    expect(rates.over).toBe('bytes_per_second');
    expect(rates.wakeAt).toBe(500);
    rates.at(500);
    expect(rates.inDebt).toBe(false);
  });

  it('is counted once a second at most', () => {
    const rates = throttle();
    const counted: number[] = [];
    for (let now = 0; now < 5000; now += 100) {
      rates.at(now);
      if (rates.hold()) counted.push(now);
    }
    expect(counted).toEqual([0, 1000, 2000, 3000, 4000]);
  });

  it('tells how long it was held back, in laps', () => {
    const rates = throttle();
    expect(rates.lap()).toBe(0);
    rates.at(1000);
    rates.hold();
    rates.at(1300);
    expect(rates.lap()).toBe(300);
    rates.at(1400);
    expect(rates.lap()).toBe(100);
    rates.release();
    rates.at(2000);
    expect(rates.lap()).toBe(0);
  });

  it('has 30 s to catch up, from the moment in which it was held back first', () => {
    const rates = throttle();
    rates.at(1000);
    rates.hold();
    rates.at(30_999);
    rates.hold();
    expect(rates.overdue).toBe(false);
    expect(rates.overdueAt).toBe(31_000);
    rates.at(31_000);
    expect(rates.overdue).toBe(true);
  });

  it('begins anew once it has caught up', () => {
    const rates = throttle();
    rates.hold();
    rates.release();
    rates.at(40_000);
    expect(rates.overdue).toBe(false);
    rates.hold();
    expect(rates.overdueAt).toBe(70_000);
  });

  it('is not looked at later than its time is over', () => {
    const rates = meter({ onRateExceeded: 'Throttle', maxBytesPerSecond: 1 });
    rates.payload(300_000);
    rates.hold();
    expect(rates.wakeAt).toBe(30_000);
  });
});

describe('the timeouts', () => {
  const spec = { idleTimeoutSeconds: 10, executionTimeoutSeconds: 60 };
  it.each<[string, lastDataAt: number, throttled: boolean, now: number, verdict: string | number]>([
    ['at the 101', 0, false, 0, 10_000],
    ['a moment before idle is over', 0, false, 9_999, 10_000],
    ['idle', 0, false, 10_000, 'idle_timeout'],
    ['data has come since', 5_000, false, 10_000, 15_000],
    ['execution comes before idle', 55_000, false, 56_000, 60_000],
    ['execution', 59_000, false, 60_000, 'execution_timeout'],
    ['idle was over before execution', 45_000, false, 60_000, 'idle_timeout'],
    ['both at once', 50_000, false, 60_000, 'idle_timeout'],
    ['a client that we hold back is not idle', 0, true, 30_000, 40_000],
    ['but it ends with the execution timeout', 0, true, 60_000, 'execution_timeout'],
  ])('%s', (_name, lastDataAt, throttled, now, verdict) => {
    expect(timeoutOf({ openedAt: 0, lastDataAt, throttled }, spec, now)).toBe(verdict);
  });
});
