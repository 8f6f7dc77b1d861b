// The registry, and the only door to prom-client: builds every series from the table, counts, and forgets a function without a trace.
import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';
import { type Definition, type FunctionLabels, type Labels, type Name, type NameOf, type Process, SERIES } from './definitions.ts';

/**
 * Of prom-client's own metrics those that Prometheus's linter refuses, gauges that are named like counters, and those that walk over
 * every socket of the process at each scrape, while nothing is relayed.
 */
const UNWANTED = [
  'nodejs_active_handles',
  'nodejs_active_handles_total',
  'nodejs_active_requests_total',
  'nodejs_active_resources',
  'nodejs_active_resources_total',
];

type Metric = Counter | Gauge | Histogram;
type AnyLabels = Readonly<Record<string, string | number>>;
type Used = { readonly metric: Metric; readonly labels: AnyLabels };
type Samples<N extends Name> = Iterable<readonly [labels: Labels<N>, value: number]>;

/** Series that are not counted but read when somebody asks; samples with the same labels add up. */
export type Reads = { readonly [N in Exclude<Name, NameOf<'histogram'>>]?: () => Samples<N> };

/** All series of a process. */
export class Series {
  readonly #registry = new Registry();
  readonly #metrics: ReadonlyMap<Name, Metric>;
  /** The label sets of each function: prom-client removes nothing but exact ones. */
  readonly #used = new Map<string, Map<string, Used>>();

  /** @param process what is counted: only its part of the table is there */
  constructor(process: Process, reads: Reads) {
    const all = Object.entries(SERIES) as [Name, Definition][];
    const definitions = all.filter(([, { of = ['proxy'] }]) => of.includes(process));
    this.#metrics = new Map(definitions.map(([name, definition]) => [name, this.#make(name, definition, reads[name as keyof Reads])]));
    collectDefaultMetrics({ register: this.#registry });
    for (const name of UNWANTED) this.#registry.removeSingleMetric(name);
  }

  get contentType(): string {
    return this.#registry.contentType;
  }

  /** Everything in Prometheus's text format. */
  text(): Promise<string> {
    return this.#registry.metrics();
  }

  /** Counts. By 0: the series is there from now on. */
  add<N extends NameOf<'counter'>>(name: N, labels: Labels<N>, by = 1): void {
    (this.#remember(name, labels as AnyLabels) as Counter).inc(labels as AnyLabels, by);
  }

  /** Adds a value to a histogram. */
  observe<N extends NameOf<'histogram'>>(name: N, labels: Labels<N>, seconds: number): void {
    (this.#remember(name, labels as AnyLabels) as Histogram).observe(labels as AnyLabels, seconds);
  }

  /** Forgets what was counted for a function. */
  remove(fn: FunctionLabels): void {
    const key = keyOf(fn);
    for (const { metric, labels } of this.#used.get(key)?.values() ?? []) metric.remove(labels);
    this.#used.delete(key);
  }

  #make(name: Name, { type, help, labels, buckets = [] }: Definition, read: (() => Samples<Name>) | undefined): Metric {
    const config = { name, help, labelNames: Object.keys(labels), registers: [this.#registry] };
    if (type === 'histogram') return new Histogram({ ...config, buckets: [...buckets] });
    const metric: Counter | Gauge = new (type === 'counter' ? Counter : Gauge)({
      ...config,
      ...(read && { collect: () => refill(metric, read()) }),
    });
    return metric;
  }

  /** The metric of this name; notes that a function has this label set in it. */
  #remember(name: Name, labels: AnyLabels): Metric | undefined {
    const metric = this.#metrics.get(name);
    if (metric === undefined || labels.function === undefined) return metric;
    const key = keyOf(labels);
    const used = this.#used.get(key) ?? new Map<string, Used>();
    this.#used.set(key, used);
    used.set([name, ...Object.values(labels)].join(' '), { metric, labels });
    return metric;
  }
}

function refill(metric: Counter | Gauge, samples: Samples<Name>): void {
  metric.reset();
  for (const [labels, value] of samples) metric.inc(labels, value);
}

function keyOf(fn: AnyLabels): string {
  return `${fn.function_namespace}/${fn.function}`;
}
