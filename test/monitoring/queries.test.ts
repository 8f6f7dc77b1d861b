// The queries of rules and dashboards are PromQL, and ask for series and labels that there are.
import { describe, expect, it } from 'vitest';
import { RECORDING_RULES } from '../../charts/monitoring/recording.ts';
import { FUNCTION_FAULTS, PLATFORM_FAULTS } from '../../charts/monitoring/thresholds.ts';
import { OUTCOMES } from '../../src/core/outcome.ts';
import { type Definition, type Name, SERIES } from '../../src/metrics/definitions.ts';
import { panelQueries, RULE_QUERIES, read, type Selector } from './queries.ts';

const VARIABLES = { namespace: '.*', function: '.*', range: '1h', rateInterval: '1m' };
const ALL = [...RULE_QUERIES, ...panelQueries(() => VARIABLES)];
/** What Prometheus puts on every series of a target. */
const OF_TARGETS = ['instance', 'job'];
const RECORDED = new Set(RECORDING_RULES.map(({ record }) => record));

/** The definition of a series by its name in PromQL: a histogram has three. */
function definitionOf(name: string): Definition | undefined {
  const exact = SERIES[name as Name];
  if (exact && exact.type !== 'histogram') return exact;
  const histogram = SERIES[name.replace(/_(bucket|sum|count)$/, '') as Name];
  return histogram?.type === 'histogram' && histogram !== exact ? histogram : undefined;
}

/** What is wrong with a selector; nothing of Node's or the process's own is looked up. */
function faultsOf({ name, nameMatches, labels }: Selector): string[] {
  if (/^(process|nodejs)_/.test(name)) return [];
  if (RECORDED.has(name)) return labels.filter((label) => !['function', 'function_namespace'].includes(label));
  const found = nameMatches
    ? Object.entries(SERIES).flatMap(([one, definition]) => (nameMatches.test(one) ? [definition] : []))
    : [definitionOf(name)];
  if (found.length === 0) return [`no series ${nameMatches}`];
  return found.flatMap((definition) => {
    if (!definition) return [`no series ${name}`];
    const known = [...Object.keys(definition.labels), ...OF_TARGETS, ...(definition.type === 'histogram' ? ['le'] : [])];
    return labels.filter((label) => !known.includes(label)).map((label) => `${name} has no label ${label}`);
  });
}

describe('every query', () => {
  it('is there, once each, under a name', () => {
    expect(ALL.length).toBeGreaterThan(70);
    expect(new Set(ALL.map(({ where }) => where)).size).toBe(ALL.length);
  });

  it.each(ALL)('$where is PromQL, of series and labels that there are', ({ expr }) => {
    const { faults, selectors } = read(expr);
    expect(faults).toEqual([]);
    expect(selectors.length).toBeGreaterThan(0);
    expect(selectors.flatMap(faultsOf)).toEqual([]);
  });

  it('would be told if it were wrong', () => {
    expect(read('up == = 1').faults).not.toEqual([]);
    expect(read('sum(up').faults).not.toEqual([]);
    const faults = (expr: string) => read(expr).selectors.flatMap(faultsOf);
    expect(faults('rate(socketpod_connection_total[5m])')).toEqual(['no series socketpod_connection_total']);
    expect(faults('socketpod_connections_total{pod="x"}')).toEqual(['socketpod_connections_total has no label pod']);
    expect(faults('socketpod_handshake_duration_seconds')).toEqual(['no series socketpod_handshake_duration_seconds']);
    expect(faults('{__name__=~"socketpod_shut_.*"}')).toHaveLength(1);
  });
});

describe('the alerts', () => {
  it('know codes and reasons that there are', () => {
    const codes = new Set(Object.values(OUTCOMES).map(({ code }) => code));
    expect(FUNCTION_FAULTS.filter((code) => !codes.has(code))).toEqual([]);
    expect(PLATFORM_FAULTS.map((reason) => OUTCOMES[reason].code)).toEqual([500, 500, 500]);
  });
});
