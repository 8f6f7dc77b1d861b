// What a panel of a dashboard is, whoever draws it: Grafana, the picture of the README, or a test that asks its queries.

/** Grafana's name of a unit (https://grafana.com/docs/grafana/latest/panels-visualizations/configure-standard-options/). */
export type Unit = 'short' | 's' | 'h' | 'percentunit' | 'bytes' | 'Bps' | 'suffix:/s' | 'suffix:/m';

/** One query; `{{label}}` in the legend is the label's value. */
export interface Query {
  readonly expr: string;
  readonly legend: string;
}

/** A panel. */
export interface Panel {
  readonly title: string;
  /** What it shows and how to read it. */
  readonly description: string;
  /** stat: the value now. lines, stack: over time. table: a row for each label set, a column for each query, the first one sorts. */
  readonly kind: 'stat' | 'lines' | 'stack' | 'table';
  readonly unit: Unit;
  readonly queries: readonly Query[];
  /** Of the 24 columns of the grid. */
  readonly width: number;
  /** Units of the columns of a table, where they differ from `unit`, by legend. */
  readonly units?: Readonly<Record<string, Unit>>;
}

/** Panels under a heading. */
export interface Row {
  readonly title: string;
  readonly panels: readonly Panel[];
}

/** A dashboard. */
export interface Board {
  /** Stable: links hold over upgrades. */
  readonly uid: string;
  readonly title: string;
  readonly description: string;
  /** Whether its variables take several namespaces and functions, or one. */
  readonly functions: 'several' | 'one';
  readonly rows: readonly Row[];
}

/** Chooses the functions that the variables name; `.*` has what belongs to no function too. */
export const CHOSEN = 'function_namespace=~"$namespace",function=~"$function"';

/** The legend of a function. */
export const FUNCTION_LEGEND = '{{function_namespace}}/{{function}}';

/** A counter's rate over the window that Grafana finds right. */
export const rate = (selector: string) => `rate(${selector}[$__rate_interval])`;

/** A counter's growth over the time that is shown. */
export const grown = (selector: string) => `increase(${selector}[$__range])`;

/** A quantile of a histogram, by name without `_bucket`. */
export const quantile = (q: number, histogram: string, matchers: string, by = '') =>
  `histogram_quantile(${q}, sum by (le${by && `, ${by}`}) (${rate(`${histogram}_bucket{${matchers}}`)}))`;

/** The mean of a histogram by a label. */
export const mean = (histogram: string, matchers: string, by: string) =>
  `sum by (${by}) (${rate(`${histogram}_sum{${matchers}}`)}) / sum by (${by}) (${rate(`${histogram}_count{${matchers}}`)})`;

/** What Grafana would put for the variables of a query. */
export interface Variables {
  readonly namespace: string;
  readonly function: string;
  /** PromQL durations. */
  readonly range: string;
  readonly rateInterval: string;
}

/** A query as Prometheus gets it. */
export function substituted(expr: string, variables: Variables): string {
  return expr
    .replaceAll('$__rate_interval', variables.rateInterval)
    .replaceAll('$__range', variables.range)
    .replaceAll('$namespace', variables.namespace)
    .replaceAll('$function', variables.function);
}

/** The legend of one series of an answer. */
export function legendOf(legend: string, labels: Readonly<Record<string, string>>): string {
  return legend.replaceAll(/\{\{(\w+)\}\}/g, (_all, label: string) => labels[label] ?? '');
}
