// The dashboards as Grafana loads them: the files that are committed.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { BOARDS } from '../../charts/monitoring/boards.ts';
import { DASHBOARD_FILES } from '../../charts/monitoring/dashboard.ts';
import { legendOf, substituted } from '../../charts/monitoring/panel.ts';

const FOLDER = join(import.meta.dirname, '..', '..', 'charts', 'socketpod', 'files', 'dashboards');

interface GrafanaPanel {
  readonly id: number;
  readonly type: string;
  readonly title: string;
  readonly description?: string;
  readonly gridPos: { readonly x: number; readonly y: number; readonly w: number; readonly h: number };
  readonly targets?: readonly { readonly expr: string; readonly datasource: { readonly uid: string } }[];
}

interface Dashboard {
  readonly uid: string;
  readonly templating: { readonly list: readonly { readonly name: string; readonly multi: boolean }[] };
  readonly panels: readonly GrafanaPanel[];
}

describe.each(Object.keys(DASHBOARD_FILES))('%s', (file) => {
  const { uid, templating, panels }: Dashboard = JSON.parse(readFileSync(join(FOLDER, file), 'utf8'));
  const board = BOARDS.find((one) => one.uid === uid);

  it('has every panel of its board, each with an id, a title and a description of its own', () => {
    const drawn = panels.filter(({ type }) => type !== 'row');
    expect(drawn.map(({ title }) => title)).toEqual(board?.rows.flatMap((row) => row.panels.map(({ title }) => title)));
    expect(new Set(panels.map(({ id }) => id)).size).toBe(panels.length);
    expect(drawn.filter(({ description = '' }) => description.length < 10)).toEqual([]);
  });

  it('lets no panel lie over another, or outside of the grid', () => {
    const taken = panels.flatMap(({ gridPos: { x, y, w, h } }) => {
      expect(x + w).toBeLessThanOrEqual(24);
      return Array.from({ length: w * h }, (_, cell) => `${x + (cell % w)} ${y + Math.floor(cell / w)}`);
    });
    expect(new Set(taken).size).toBe(taken.length);
  });

  it('asks the data source of the variable, and names no variable that is not there', () => {
    const names = templating.list.map(({ name }) => name);
    expect(names).toEqual(['datasource', 'namespace', 'function']);
    for (const { expr, datasource } of panels.flatMap(({ targets = [] }) => targets)) {
      expect(datasource.uid).toBe('$datasource');
      expect(substituted(expr, { namespace: 'n', function: 'f', range: '1h', rateInterval: '1m' })).not.toContain('$');
    }
  });

  it('lets several functions be chosen, or one', () => {
    expect(templating.list.filter(({ multi }) => multi)).toHaveLength(board?.functions === 'several' ? 2 : 0);
  });
});

describe('a legend', () => {
  it('takes the values of labels', () => {
    expect(legendOf('{{function_namespace}}/{{function}} now', { function_namespace: 'a', function: 'b' })).toBe('a/b now');
    expect(legendOf('{{code}}', {})).toBe('');
  });
});
