// What each recording rule makes of series that are known; promtool is the judge.
import { describe, expect, it } from 'vitest';
import { RECORDING_RULES } from '../../charts/monitoring/recording.ts';
import { promtool } from '../support/prometheus.ts';
import { type Played, playRules, RULES_FILE } from '../support/rule-test.ts';

/** A function on two proxies; `_total` counts per 30 s, so that a rule over 5 m sees ten times as many. */
const series = (name: string, labels: string, perStep: number, from = 0, proxy = 'a'): Played => ({
  [`${name}{function_namespace="ns",function="fn",instance="${proxy}"${labels && `,${labels}`}}`]: `${from}+${perStep}x40`,
});

const SERIES: Played = {
  ...series('socketpod_connections_total', 'code="200",reason="normal_closure"', 4),
  ...series('socketpod_connections_total', 'code="200",reason="normal_closure"', 2, 0, 'b'),
  ...series('socketpod_connections_total', 'code="429",reason="rate_exceeded"', 1),
  ...series('socketpod_connections_total', 'code="432",reason="max_connections"', 2),
  ...series('socketpod_connections_total', 'code="433",reason="execution_timeout"', 3),
  ...series('socketpod_connections_total', 'code="434",reason="memory_limit"', 5),
  ...series('socketpod_connections_total', 'code="500",reason="internal_error"', 7),
  'socketpod_connections_total{function_namespace="",function="",code="435",reason="route_not_found",instance="a"}': '0+9x40',
  // Open falls while pending stays: the most was before.
  'socketpod_open_connections{function_namespace="ns",function="fn",instance="a"}': '8x20 3x20',
  'socketpod_open_connections{function_namespace="ns",function="fn",instance="b"}': '5x40',
  'socketpod_pending_connections{function_namespace="ns",function="fn",instance="a"}': '2x40',
  ...series('socketpod_connection_duration_seconds_sum', '', 60),
  ...series('socketpod_connection_duration_seconds_count', '', 4),
  ...series('socketpod_pod_seconds_total', '', 30),
  ...series('socketpod_pod_seconds_total', '', 30, 500, 'b'),
  'socketpod_function_memory_limit_bytes{function_namespace="ns",function="fn",instance="c"}': '1000x40',
  'socketpod_function_memory_limit_bytes{function_namespace="ns",function="fn",instance="d"}': '1000x40',
  ...series('socketpod_message_bytes_total', 'direction="up"', 1),
  ...series('socketpod_message_bytes_total', 'direction="down"', 50),
};

const EXPECTED: Readonly<Record<string, number>> = {
  Invocation: 240,
  Error: 180,
  Throttle: 30,
  Http2xx: 60,
  Http432: 20,
  Http433: 30,
  Http434: 50,
  Http4xx: 110,
  Http5xx: 70,
  ConcurrentExecutions: 15,
  Duration: 15,
  BillDuration: 600,
  MemDuration: 600_000,
  OutFlow: 500,
};

describe('the rules file', () => {
  it('is one that promtool takes', () => {
    expect(promtool(['check', 'rules', RULES_FILE])).toBe('');
  });
});

describe('recording rules', () => {
  it('are all of Cloud Monitor that contract part 8 names', () => {
    expect(RECORDING_RULES.map(({ scf }) => scf)).toEqual(Object.keys(EXPECTED));
  });

  it.each(RECORDING_RULES)('$scf is $record', ({ scf, record }) => {
    const sample = { labels: `${record}{function_namespace="ns",function="fn"}`, value: EXPECTED[scf] ?? Number.NaN };
    // At 12 m the window reaches back to 7 m, before the fall of the open connections.
    expect(playRules(SERIES, { values: [{ eval_time: '12m', expr: record, exp_samples: [sample] }] })).toBe('');
  });

  it('ConcurrentExecutions forgets what was before its window', () => {
    const record = 'function:socketpod_connections_in_flight:max5m';
    const sample = { labels: `${record}{function_namespace="ns",function="fn"}`, value: 10 };
    expect(playRules(SERIES, { values: [{ eval_time: '18m', expr: record, exp_samples: [sample] }] })).toBe('');
  });

  it('Duration is absent while no connection ends', () => {
    const quiet = {
      ...series('socketpod_connection_duration_seconds_sum', '', 0, 60),
      ...series('socketpod_connection_duration_seconds_count', '', 0, 4),
    };
    const expr = 'function:socketpod_connection_duration_seconds:mean5m';
    expect(playRules(quiet, { values: [{ eval_time: '12m', expr, exp_samples: [] }] })).toBe('');
  });
});
