// The series: names, types, labels and buckets as promised, and the values that were counted.
import { beforeEach, describe, expect, it } from 'vitest';
import { Played, samples } from '../support/metrics.ts';

let proxy: Played;
beforeEach(() => {
  proxy = new Played();
});

/** The value of a series now; undefined: it is not there. */
async function value(series: string): Promise<number | undefined> {
  return samples(await proxy.metrics.text()).get(series);
}

const F = 'function="fn",function_namespace="ns"';
const START_BUCKETS = '0.005 0.01 0.025 0.05 0.1 0.25 0.5 1 2.5 5 10 30 90 300';

/** The contract, part 8, in its own words. The buckets of the calls to the API server are ours. */
const PROMISED: Record<string, [type: string, labels: string, buckets?: string]> = {
  socketpod_connections_total: ['counter', 'code function function_namespace reason'],
  socketpod_limit_violations_total: ['counter', 'action code function function_namespace limit'],
  socketpod_open_connections: ['gauge', 'function function_namespace'],
  socketpod_pending_connections: ['gauge', 'function function_namespace'],
  socketpod_connection_duration_seconds: ['histogram', 'function function_namespace', '1 5 15 60 300 900 3600 7200 14400 86400'],
  socketpod_handshake_duration_seconds: ['histogram', 'function function_namespace start', START_BUCKETS],
  socketpod_start_stage_duration_seconds: ['histogram', 'stage start', START_BUCKETS],
  socketpod_messages_total: ['counter', 'direction function function_namespace'],
  socketpod_message_bytes_total: ['counter', 'direction function function_namespace'],
  socketpod_throttled_seconds_total: ['counter', 'function function_namespace'],
  socketpod_pods: ['gauge', 'function function_namespace state'],
  socketpod_pod_starts_total: ['counter', 'function function_namespace result start'],
  socketpod_pod_seconds_total: ['counter', 'function function_namespace'],
  socketpod_pending_deletes: ['gauge', ''],
  socketpod_draining: ['gauge', ''],
  socketpod_socket_errors_total: ['counter', 'cause'],
  socketpod_kube_requests_total: ['counter', 'resource status_code verb'],
  socketpod_kube_request_duration_seconds: ['histogram', 'resource verb', '0.005 0.01 0.025 0.05 0.1 0.25 0.5 1 2.5 5 10 20'],
  socketpod_watch_last_event_timestamp_seconds: ['gauge', 'resource'],
  socketpod_watch_restarts_total: ['counter', 'cause resource'],
  socketpod_build_info: ['gauge', 'version'],
};

describe('the series', () => {
  it('are exactly those of the contract, by name, type, labels and buckets', async () => {
    proxy.everything('ns/fn');
    proxy.everythingElse();
    const text = await proxy.metrics.text();
    const told: typeof PROMISED = {};
    for (const [, name = '', type = ''] of text.matchAll(/^# TYPE (socketpod_\S+) (\S+)$/gm)) {
      const suffix = type === 'histogram' ? '_bucket' : '';
      const lines = text.split('\n').filter((line) => line.startsWith(`${name}${suffix}{`) || line.startsWith(`${name} `));
      expect(lines, name).not.toEqual([]);
      const labels = lines.map((line) => [...line.matchAll(/(\w+)="/g)].map(([, label]) => label).filter((label) => label !== 'le'));
      const bounds = lines.map((line) => /le="([^"]+)"/.exec(line)?.[1]).filter((bound) => bound !== undefined && bound !== '+Inf');
      const every = (lists: string[]) => [...new Set(lists)].join(' | ');
      told[name] = [type, every(labels.map((list) => list.sort().join(' ')))];
      if (type === 'histogram') told[name].push([...new Set(bounds)].join(' '));
    }
    expect(told).toEqual(PROMISED);
  });

  it('have the values that were counted', async () => {
    proxy.everything('ns/fn');
    proxy.everything('ns/fn');
    proxy.everythingElse();
    proxy.end('ns/fn', 'max_connections');
    const all = samples(await proxy.metrics.text());
    const told = (series: string) => all.get(series);
    expect(told(`socketpod_connections_total{${F},code="200",reason="normal_closure"}`)).toBe(2);
    expect(told(`socketpod_connections_total{${F},code="432",reason="max_connections"}`)).toBe(1);
    expect(told(`socketpod_limit_violations_total{${F},limit="bytes_per_second",code="429",action="throttle"}`)).toBe(2);
    expect(told(`socketpod_open_connections{${F}}`)).toBe(2);
    expect(told(`socketpod_pending_connections{${F}}`)).toBe(2);
    // Only what opened has a duration.
    expect(told(`socketpod_connection_duration_seconds_count{${F}}`)).toBe(2);
    expect(told(`socketpod_connection_duration_seconds_sum{${F}}`)).toBe(122);
    expect(told(`socketpod_connection_duration_seconds_bucket{le="60",${F}}`)).toBe(0);
    expect(told(`socketpod_connection_duration_seconds_bucket{le="300",${F}}`)).toBe(2);
    expect(told(`socketpod_handshake_duration_seconds_sum{${F},start="cold"}`)).toBe(0.3);
    expect(told('socketpod_start_stage_duration_seconds_sum{stage="create",start="cold"}')).toBe(0.04);
    expect(told('socketpod_start_stage_duration_seconds_count{stage="handshake",start="cold"}')).toBe(2);
    expect(told(`socketpod_messages_total{${F},direction="up"}`)).toBe(3);
    expect(told(`socketpod_messages_total{${F},direction="down"}`)).toBe(4);
    expect(told(`socketpod_message_bytes_total{${F},direction="up"}`)).toBe(50);
    expect(told(`socketpod_message_bytes_total{${F},direction="down"}`)).toBe(60);
    expect(told(`socketpod_throttled_seconds_total{${F}}`)).toBe(1.5);
    expect(told(`socketpod_pods{${F},state="connected"}`)).toBe(2);
    expect(told(`socketpod_pods{${F},state="warm"}`)).toBe(0);
    expect(told(`socketpod_pod_starts_total{${F},start="cold",result="ready"}`)).toBe(2);
    expect(told(`socketpod_pod_seconds_total{${F}}`)).toBe(125);
    expect(told('socketpod_pending_deletes')).toBe(2);
    expect(told('socketpod_draining')).toBe(1);
    expect(told('socketpod_socket_errors_total{cause="malformed"}')).toBe(1);
    expect(told('socketpod_socket_errors_total{cause="tls"}')).toBe(0);
    expect(told('socketpod_kube_requests_total{verb="create",resource="pods",status_code="201"}')).toBe(1);
    expect(told('socketpod_kube_request_duration_seconds_sum{verb="create",resource="pods"}')).toBe(0.03);
    expect(told('socketpod_watch_last_event_timestamp_seconds{resource="pods"}')).toBe(1_700_000_000.5);
    expect(told('socketpod_watch_restarts_total{resource="pods",cause="expired"}')).toBe(1);
    expect(told('socketpod_build_info{version="1.2.3"}')).toBe(1);
  });

  it('read the totals anew at each scrape and do not add them up', async () => {
    proxy.everything('ns/fn');
    await proxy.metrics.text();
    const traffic = proxy.traffic.get('ns/fn');
    if (traffic) traffic.up.messages += 5;
    proxy.connections.pop();
    expect(await value(`socketpod_messages_total{${F},direction="up"}`)).toBe(8);
    expect(await value(`socketpod_pending_connections{${F}}`)).toBe(0);
  });

  it('escape what labels say', async () => {
    proxy = new Played('v"1\\\n2');
    expect(await proxy.metrics.text()).toContain('socketpod_build_info{version="v\\"1\\\\\\n2"} 1\n');
  });

  it('come as the text format says', () => expect(proxy.metrics.contentType).toBe('text/plain; version=0.0.4; charset=utf-8'));

  it('leave no upgrade request out: what no function was found for has empty labels', async () => {
    proxy.end('', 'route_not_found');
    expect(await value('socketpod_connections_total{function="",function_namespace="",code="435",reason="route_not_found"}')).toBe(1);
  });
});
