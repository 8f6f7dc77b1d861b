// Which ends make an Event on the function, what it says, and how often there is one.
import { describe, expect, it } from 'vitest';
import { EventLimiter, eventMessage, eventReason, type FunctionEnd, makesEvent } from '../../src/core/event.ts';
import { OUTCOMES, type Reason } from '../../src/core/outcome.ts';

function end(part: Partial<FunctionEnd> = {}): FunctionEnd {
  return { function: 'test/echo', functionUid: 'uid-1', reason: 'function_exited', detail: '', lastWords: '', ...part };
}

describe('an Event', () => {
  const reasons = Object.keys(OUTCOMES) as Reason[];

  it('is made of what the author must act on, and of nothing else', () => {
    expect(reasons.filter((reason) => makesEvent(end({ reason }))).sort()).toEqual(
      [
        ...['memory_limit', 'function_exited', 'container_exited', 'container_start_failed', 'image_pull_failed', 'image_pull_timeout'],
        ...['port_timeout', 'handshake_timeout', 'handshake_failed', 'function_protocol_error', 'response_too_large', 'pod_rejected'],
        ...['quota_exceeded', 'unschedulable', 'pod_start_timeout'],
      ].sort(),
    );
  });

  it('needs a function', () => expect(makesEvent(end({ functionUid: '' }))).toBe(false));

  it.each(reasons)('has a reason in CamelCase for %s', (reason) => expect(eventReason(reason)).toMatch(/^[A-Z][A-Za-z0-9]+$/));

  it.each<[Reason, string]>([
    ['function_exited', 'FunctionExited'],
    ['memory_limit', 'MemoryLimit'],
    ['not_websocket', 'NotWebsocket'],
    ['function_refused_5xx', 'FunctionRefused5xx'],
  ])('%s is %s', (reason, camel) => expect(eventReason(reason)).toBe(camel));
});

describe('the message of an Event', () => {
  it.each<[string, Partial<FunctionEnd>, string]>([
    ['code and cause', {}, '439 the container exited'],
    ['the detail', { detail: 'exit code 7' }, '439 the container exited: exit code 7'],
    [
      'last words, in one line',
      { detail: 'exit code 7', lastWords: 'Error: no\r\n    at f\n\nbye' },
      '439 the container exited: exit code 7; last words: Error: no | at f | bye',
    ],
    ['last words alone', { lastWords: 'bye' }, '439 the container exited; last words: bye'],
    ['a detail of several lines', { reason: 'pod_rejected', detail: 'a\nb\n' }, '445 the API server refused the pod: a | b'],
    [
      'a long detail without last words, as far as it goes',
      { detail: 'd'.repeat(2000) },
      `439 the container exited: ${'d'.repeat(1024 - '439 the container exited: '.length)}`,
    ],
    [
      'the end of long last words',
      { detail: 'exit code 7', lastWords: `${'b'.repeat(1000)}${'a'.repeat(1024 - 53)}` },
      `439 the container exited: exit code 7; last words: bb${'a'.repeat(1024 - 53)}`,
    ],
  ])('has %s', (_what, part, message) => expect(eventMessage(end(part))).toBe(message));

  it('has 1,024 bytes at most, with a part of everything', () => {
    const message = eventMessage(end({ detail: `pulling ${'€'.repeat(1000)}`, lastWords: `${'😀'.repeat(500)}\nthe end` }));
    expect(Buffer.byteLength(message)).toBeGreaterThan(1016);
    expect(Buffer.byteLength(message)).toBeLessThanOrEqual(1024);
    expect(message).toMatch(/^439 the container exited: pulling €+; last words: 😀+ \| the end$/u);
  });
});

describe('the limiter of Events', () => {
  it.each<[string, [uid: string, reason: Reason, nowMs: number, allowed: boolean][]]>([
    [
      'allows one a minute',
      [
        ['a', 'function_exited', 0, true],
        ['a', 'function_exited', 1, false],
        ['a', 'function_exited', 59_999, false],
        ['a', 'function_exited', 60_000, true],
        ['a', 'function_exited', 60_001, false],
        ['a', 'function_exited', 119_999, false],
        ['a', 'function_exited', 500_000, true],
      ],
    ],
    [
      'counts each function and each reason for itself',
      [
        ['a', 'function_exited', 0, true],
        ['a', 'memory_limit', 0, true],
        ['b', 'function_exited', 30_000, true],
        ['a', 'function_exited', 60_000, true],
        ['b', 'function_exited', 60_000, false],
        ['a', 'memory_limit', 60_000, true],
        ['b', 'function_exited', 90_000, true],
      ],
    ],
  ])('%s', (_name, steps) => {
    const limiter = new EventLimiter();
    for (const [uid, reason, nowMs, allowed] of steps) expect([nowMs, limiter.allow(uid, reason, nowMs)]).toEqual([nowMs, allowed]);
  });

  it('allows a thousand a minute of all together, and remembers no more', () => {
    const limiter = new EventLimiter();
    const allowed = (nowMs: number) => Array.from({ length: 1500 }, (_, i) => limiter.allow(`f${i}`, 'function_exited', nowMs));
    expect(allowed(0).filter(Boolean)).toHaveLength(1000);
    expect(allowed(59_999).filter(Boolean)).toHaveLength(0);
    expect(allowed(60_000).filter(Boolean)).toHaveLength(1000);
  });
});
