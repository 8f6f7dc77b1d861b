// Every alert fires when it should, with the words that it should, and not otherwise; promtool is the judge.
import { describe, expect, it } from 'vitest';
import { ALERTS } from '../../charts/monitoring/alerts.ts';
import { playRules } from '../support/rule-test.ts';
import { FUNCTION_CASES } from './function-alerts.ts';
import { type AlertCase, HEALTHY } from './made-up.ts';
import { PLATFORM_CASES } from './platform-alerts.ts';

const CASES = [...PLATFORM_CASES, ...FUNCTION_CASES];

/** What promtool has against a case; empty when it comes out as it says. */
function play({ alert, series, at, fires = [] }: AlertCase): string {
  const { severity, runbook } = ALERTS.find(({ name }) => name === alert) ?? {};
  const exp_alerts = fires.map(({ labels, summary, description }) => ({
    exp_labels: { severity, ...labels },
    exp_annotations: { summary, description, runbook },
  }));
  return playRules(series, { alerts: [{ eval_time: at, alertname: alert, exp_alerts }] });
}

describe('alerts', () => {
  it('each have a case in which they fire, and one in which they do not', () => {
    const names = ALERTS.map(({ name }) => name).sort();
    const having = (fires: boolean) => [...new Set(CASES.filter((one) => (one.fires !== undefined) === fires).map(({ alert }) => alert))];
    expect(having(true).sort()).toEqual(names);
    expect(having(false).sort()).toEqual(names);
  });

  it.each(CASES.filter(({ fires }) => fires))('$alert fires: $why', (one) => {
    expect(play(one)).toBe('');
  });

  it.each(CASES.filter(({ fires }) => !fires))('$alert does not fire: $why', (one) => {
    expect(play(one)).toBe('');
  });

  it('are judged by one who says no too', () => {
    const one = { alert: 'SocketpodNoLeader', why: '', series: {}, at: '10m' };
    expect(play(one)).toContain('got:[\n');
    expect(play({ ...one, fires: [{ summary: 'Another.', description: '' }] })).toContain('Another.');
  });

  it('are silent while all is well', () => {
    const values = ['5m', '15m', '29m'].map((eval_time) => ({ eval_time, expr: 'ALERTS{alertstate="firing"}', exp_samples: [] }));
    expect(playRules(HEALTHY, { values })).toBe('');
  });
});
