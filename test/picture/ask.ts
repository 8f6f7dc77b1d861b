// Asks a real Prometheus the queries of the panels, for the picture.
import { colorsOf } from '../../charts/monitoring/colors.ts';
import { legendOf, type Panel, type Query, type Row, substituted, type Variables } from '../../charts/monitoring/panel.ts';
import type { Prometheus } from '../support/prometheus.ts';
import type { Line, Span } from './chart.ts';
import { told } from './scale.ts';
import type { Answered, AnsweredRow } from './svg.ts';

/** What is asked about: the run, from a time (seconds since 1970) on. */
export interface Asked extends Span {
  readonly from: number;
  readonly variables: Variables;
}

/** The rows of a board with the answers. */
export async function ask(prometheus: Prometheus, rows: readonly Row[], asked: Asked): Promise<AnsweredRow[]> {
  const answered: AnsweredRow[] = [];
  for (const { title, panels } of rows) {
    answered.push({ title, panels: await Promise.all(panels.map((panel) => answer(prometheus, panel, asked))) });
  }
  return answered;
}

async function answer(prometheus: Prometheus, panel: Panel, asked: Asked): Promise<Answered> {
  if (panel.kind === 'table') return { panel, lines: [], cells: await cells(prometheus, panel, asked) };
  const over = panel.kind === 'stat' ? now : course;
  const lines = (await Promise.all(panel.queries.map((query) => over(prometheus, query, asked)))).flat();
  return { panel, lines: lines.toSorted((a, b) => place(a) - place(b)) };
}

/** What has a colour of its own stands in the order of the colours: stages one after the other. */
function place({ name, template }: Line): number {
  const at = Object.keys(colorsOf(template)).indexOf(name);
  return at < 0 ? Number.MAX_SAFE_INTEGER : at;
}

async function now(prometheus: Prometheus, { expr, legend }: Query, { from, seconds, variables }: Asked): Promise<Line[]> {
  const samples = await prometheus.query(substituted(expr, variables), from + seconds);
  return samples.map(({ labels, value }) => ({ name: legendOf(legend, labels), template: legend, values: [value] }));
}

async function course(prometheus: Prometheus, { expr, legend }: Query, { from, seconds, step, variables }: Asked): Promise<Line[]> {
  const courses = await prometheus.course(substituted(expr, variables), from, from + seconds, step);
  return courses.map(({ labels, points }) => {
    const values: number[] = Array(Math.floor(seconds / step) + 1).fill(Number.NaN);
    for (const [at, value] of points) values[Math.round((at - from) / step)] = value;
    return { name: legendOf(legend, labels), template: legend, values };
  });
}

/** A row for each function, sorted by the first query. */
async function cells(prometheus: Prometheus, { queries, unit, units }: Panel, { from, seconds, variables }: Asked): Promise<string[][]> {
  const answers = await Promise.all(queries.map(({ expr }) => prometheus.query(substituted(expr, variables), from + seconds)));
  const keys = answers[0]?.toSorted((a, b) => b.value - a.value) ?? [];
  return keys.map(({ labels: { function_namespace = '', function: fn = '' } }) => [
    function_namespace,
    fn,
    ...queries.map(({ legend }, index) => {
      const value = answers[index]?.find(({ labels }) => labels.function === fn && labels.function_namespace === function_namespace)?.value;
      return value === undefined || Number.isNaN(value) ? '-' : told(value, units?.[legend] ?? unit);
    }),
  ]);
}
