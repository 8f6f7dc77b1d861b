// The series of a function: zeros from the start, nothing left when it is gone, and a fresh start when its name comes back.
import { beforeEach, describe, expect, it } from 'vitest';
import { OUTCOMES, type Outcome } from '../../src/core/outcome.ts';
import { Played, samples } from '../support/metrics.ts';

let proxy: Played;
beforeEach(() => {
  proxy = new Played();
});

/** The value of a series now; undefined: it is not there. */
async function value(series: string): Promise<number | undefined> {
  return samples(await proxy.metrics.text()).get(series);
}

/** The lines of the text that name a function. */
async function linesOf(name: string): Promise<string[]> {
  return (await proxy.metrics.text()).split('\n').filter((line) => line.includes(`function="${name}"`));
}

const F = 'function="fn",function_namespace="ns"';
describe('an accepted function', () => {
  it('starts at 0 for the main reason of the codes that people watch', async () => {
    proxy.metrics.functionServed('ns/fn', true);
    const text = await proxy.metrics.text();
    const zeros = [...text.matchAll(/^socketpod_connections_total\{.*code="(\d+)",reason="(\w+)"\} 0$/gm)];
    expect(zeros.map(([, code, reason]) => `${code} ${reason}`).sort()).toEqual([
      '200 normal_closure',
      '406 request_too_large',
      '407 response_too_large',
      '429 rate_exceeded',
      '432 max_connections',
      '433 execution_timeout',
      '434 memory_limit',
      '439 function_exited',
      '455 idle_timeout',
      '456 client_going_away',
      '500 internal_error',
    ]);
    const main = Object.values<Outcome>(OUTCOMES).filter(({ main }) => main);
    expect(new Set(main.map(({ code }) => code)).size).toBe(main.length);
  });

  it('starts at 0 for each limit with what is done about it', async () => {
    proxy.metrics.functionServed('ns/fn', true);
    const text = await proxy.metrics.text();
    const zeros = [...text.matchAll(/^socketpod_limit_violations_total\{.*limit="(\w+)",code="(\d+)",action="(\w+)"\} 0$/gm)];
    expect(zeros.map(([, limit, code, action]) => `${limit} ${code} ${action}`).sort()).toEqual([
      'bytes_per_second 429 close',
      'bytes_per_second 429 throttle',
      'execution_timeout 433 close',
      'frames_per_second 429 close',
      'idle_timeout 455 close',
      'max_connections 432 refuse',
      'message_size_down 407 close',
      'message_size_up 406 close',
      'messages_per_second 429 close',
      'messages_per_second 429 throttle',
      'start_rate 429 refuse',
    ]);
  });

  it('starts at 0 in all else that adds up, and in its gauges', async () => {
    proxy.metrics.functionServed('ns/fn', true);
    for (const series of [
      `socketpod_open_connections{${F}}`,
      `socketpod_pending_connections{${F}}`,
      `socketpod_messages_total{${F},direction="up"}`,
      `socketpod_message_bytes_total{${F},direction="down"}`,
      `socketpod_throttled_seconds_total{${F}}`,
      `socketpod_pods{${F},state="starting"}`,
      `socketpod_pod_starts_total{${F},start="warm",result="failed"}`,
      `socketpod_pod_seconds_total{${F}}`,
    ]) {
      expect(await value(series), series).toBe(0);
    }
  });

  it('keeps its counts when it changes', async () => {
    proxy.everything('ns/fn');
    proxy.metrics.functionServed('ns/fn', true);
    proxy.metrics.functionServed('ns/fn', false);
    expect(await value(`socketpod_connections_total{${F},code="200",reason="normal_closure"}`)).toBe(1);
  });
});

it('a function that is not accepted has no series until something happens to it', async () => {
  proxy.metrics.functionServed('ns/fn', false);
  expect(await linesOf('fn')).toEqual([]);
  proxy.end('ns/fn', 'function_not_accepted');
  expect(await linesOf('fn')).toEqual([`socketpod_connections_total{${F},code="438",reason="function_not_accepted"} 1`]);
});

describe('a deleted function', () => {
  it('takes all its series with it, and none of another', async () => {
    for (const fn of ['ns/fn', 'other/fn', 'ns/fn2']) proxy.everything(fn);
    const before = (await linesOf('fn2')).length;
    expect(before).toBeGreaterThan(50);
    proxy.connections = proxy.connections.filter((connection) => connection.function !== 'ns/fn');
    proxy.pods = proxy.pods.filter((pod) => pod.function !== 'ns/fn');
    proxy.metrics.functionGone('ns/fn');
    expect((await proxy.metrics.text()).includes(F)).toBe(false);
    expect(await linesOf('fn2')).toHaveLength(before);
    expect(await linesOf('fn')).toHaveLength(before);
  });

  it('keeps them until the last connection that still lives has ended', async () => {
    proxy.everything('ns/fn');
    proxy.metrics.functionGone('ns/fn');
    expect(await value(`socketpod_open_connections{${F}}`)).toBe(1);
    proxy.connections.pop(); // as the registry does it: first out, then the end is told
    proxy.end('ns/fn', 'function_deleted');
    expect(await value(`socketpod_connections_total{${F},code="438",reason="function_deleted"}`)).toBe(1);
    proxy.connections.pop();
    proxy.end('ns/fn', 'function_deleted', 5000);
    expect(await linesOf('fn')).toEqual([]);
  });

  it('does not come back by what is counted late: that belongs to nobody', async () => {
    proxy.metrics.functionServed('ns/fn', true);
    proxy.metrics.functionGone('ns/fn');
    proxy.metrics.podGone('ns/fn', 4);
    proxy.end('ns/fn', 'function_deleted');
    expect(await linesOf('fn')).toEqual([]);
    expect(await value('socketpod_pod_seconds_total{function="",function_namespace=""}')).toBe(4);
    expect(await value('socketpod_connections_total{function="",function_namespace="",code="438",reason="function_deleted"}')).toBe(1);
  });

  it.each([true, false])('starts at 0 when its name comes back, while an old connection lives: %s', async (lives) => {
    proxy.everything('ns/fn');
    if (!lives) proxy.connections = [];
    proxy.metrics.functionGone('ns/fn');
    proxy.traffic.delete('ns/fn');
    proxy.metrics.functionServed('ns/fn', true);
    const values = (await linesOf('fn')).filter((line) => /_(total|count)\{/.test(line)).map((line) => line.split(' ').pop());
    expect(values.length).toBeGreaterThan(20);
    expect(new Set(values)).toEqual(new Set(['0']));
    // The old connection's end takes nothing away from the new function.
    proxy.connections = [];
    proxy.end('ns/fn', 'function_deleted', 1000);
    expect((await linesOf('fn')).length).toBeGreaterThan(20);
  });
});
