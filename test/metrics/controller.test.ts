// The series of a controller: names, types and labels as promised, the values of the leader, and none of a proxy's.
import { describe, expect, it } from 'vitest';
import type { FunctionFigures } from '../../src/controller/controller.ts';
import { ControllerMetrics } from '../../src/metrics/controller-metrics.ts';
import { samples } from '../support/metrics.ts';

/** A controller that the test plays. */
class Played {
  leading = true;
  depth = 3;
  watches = [{ resource: 'pods', lastEventAt: 1_700_000_000_500 }];
  functions: FunctionFigures[] = [
    { function: 'ns/fn', ready: true, maxConnections: 7, warmPods: 2, memoryLimitBytes: 134_217_728 },
    { function: 'ns/other', ready: false, maxConnections: 0, warmPods: 0, memoryLimitBytes: undefined },
  ];
  figures = () => this.functions;
  readonly metrics = new ControllerMetrics(() => this, '1.2.3');
}

/** The contract, part 8; the labels of the controller's own work are ours. */
const PROMISED: Record<string, [type: string, labels: string]> = {
  socketpod_function_ready: ['gauge', 'function function_namespace'],
  socketpod_function_max_connections: ['gauge', 'function function_namespace'],
  socketpod_function_warm_pods_desired: ['gauge', 'function function_namespace'],
  socketpod_function_memory_limit_bytes: ['gauge', 'function function_namespace'],
  socketpod_reconciles_total: ['counter', 'result work'],
  socketpod_reconcile_duration_seconds: ['histogram', 'work'],
  socketpod_orphan_pods_deleted_total: ['counter', ''],
  socketpod_queue_depth: ['gauge', ''],
  socketpod_leader: ['gauge', ''],
  socketpod_kube_requests_total: ['counter', 'resource status_code verb'],
  socketpod_kube_request_duration_seconds: ['histogram', 'resource verb'],
  socketpod_watch_last_event_timestamp_seconds: ['gauge', 'resource'],
  socketpod_watch_restarts_total: ['counter', 'cause resource'],
  socketpod_build_info: ['gauge', 'version'],
};

describe('the series of a controller', () => {
  it('are exactly those of the contract', async () => {
    const { metrics } = new Played();
    metrics.reconciled('function', 'done', 0.1);
    metrics.kubeCalled('patch', 'websocketfunctions', 200, 0.1);
    metrics.watchRestarted('pods', 'expired');
    const text = await metrics.text();
    const told: typeof PROMISED = {};
    for (const [, name = '', type = ''] of text.matchAll(/^# TYPE (socketpod_\S+) (\S+)$/gm)) {
      const lines = text.split('\n').filter((line) => new RegExp(`^${name}(_bucket)?[ {]`).test(line));
      const labels = lines.map((line) => [...line.matchAll(/(\w+)="/g)].map(([, label]) => label).filter((label) => label !== 'le'));
      told[name] = [type, [...new Set(labels.map((list) => list.sort().join(' ')))].join(' | ')];
    }
    expect(told).toEqual(PROMISED);
  });

  it('have the values that were counted, and those of the moment', async () => {
    const { metrics } = new Played();
    metrics.orphanDeleted();
    metrics.reconciled('namespace', 'failed', 0.2);
    const all = samples(await metrics.text());
    const told = (series: string) => all.get(`socketpod_${series}`);
    expect(told('function_ready{function="fn",function_namespace="ns"}')).toBe(1);
    expect(told('function_ready{function="other",function_namespace="ns"}')).toBe(0);
    expect(told('function_max_connections{function="fn",function_namespace="ns"}')).toBe(7);
    expect(told('function_warm_pods_desired{function="fn",function_namespace="ns"}')).toBe(2);
    expect(told('function_memory_limit_bytes{function="fn",function_namespace="ns"}')).toBe(134_217_728);
    expect(told('function_memory_limit_bytes{function="other",function_namespace="ns"}')).toBeUndefined();
    expect(told('orphan_pods_deleted_total')).toBe(1);
    expect(told('reconciles_total{work="namespace",result="failed"}')).toBe(1);
    expect(told('reconciles_total{work="trial",result="done"}')).toBe(0);
    expect([told('queue_depth'), told('leader'), told('build_info{version="1.2.3"}')]).toEqual([3, 1, 1]);
    expect(told('watch_last_event_timestamp_seconds{resource="pods"}')).toBe(1_700_000_000.5);
  });

  it('of functions are there from the leader alone, and go with their function', async () => {
    const played = new Played();
    const functions = async () => [...samples(await played.metrics.text()).keys()].filter((series) => series.includes('function="'));
    expect(await functions()).toHaveLength(7);
    played.functions.shift();
    expect(await functions()).toHaveLength(3);
    played.leading = false;
    expect(await functions()).toEqual([]);
    expect(samples(await played.metrics.text()).get('socketpod_leader')).toBe(0);
  });
});
