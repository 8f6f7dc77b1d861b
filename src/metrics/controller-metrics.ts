// What is counted in a controller. The figures of functions are read at each scrape, and from the leader alone, so that each has one.
import type { ControllerObserver, FunctionFigures, Work } from '../controller/controller.ts';
import type { FunctionLabels } from './definitions.ts';
import { WORK_RESULTS, WORKS } from './definitions.ts';
import { labelsOf } from './metrics.ts';
import { Series } from './series.ts';

/** What a scrape reads. */
export interface ControllerSources {
  readonly leading: boolean;
  readonly depth: number;
  readonly watches: Iterable<{ readonly resource: string; readonly lastEventAt: number }>;
  figures(): Iterable<FunctionFigures>;
}

/** The metrics of one controller. */
export class ControllerMetrics implements ControllerObserver {
  readonly #series: Series;
  readonly #sources: () => ControllerSources;

  /** @param sources the controller, which is made later than its metrics: it is asked for at the first scrape */
  constructor(sources: () => ControllerSources, version: string) {
    this.#sources = sources;
    this.#series = new Series('controller', {
      socketpod_function_ready: () => this.#each(({ ready }) => (ready ? 1 : 0)),
      socketpod_function_max_connections: () => this.#each(({ maxConnections }) => maxConnections),
      socketpod_function_warm_pods_desired: () => this.#each(({ warmPods }) => warmPods),
      socketpod_function_memory_limit_bytes: () => this.#each(({ memoryLimitBytes }) => memoryLimitBytes),
      socketpod_queue_depth: () => [[{}, sources().depth]],
      socketpod_leader: () => [[{}, sources().leading ? 1 : 0]],
      socketpod_watch_last_event_timestamp_seconds: () =>
        [...sources().watches].map(({ resource, lastEventAt }) => [{ resource }, lastEventAt / 1000]),
      socketpod_build_info: () => [[{ version }, 1]],
    });
    this.#series.add('socketpod_orphan_pods_deleted_total', {}, 0);
    for (const work of WORKS) for (const result of WORK_RESULTS) this.#series.add('socketpod_reconciles_total', { work, result }, 0);
  }

  /** Of the answer that carries the text. */
  get contentType(): string {
    return this.#series.contentType;
  }

  /** Everything in Prometheus's text format. */
  text(): Promise<string> {
    return this.#series.text();
  }

  reconciled(work: Work, result: 'done' | 'failed', seconds: number): void {
    this.#series.add('socketpod_reconciles_total', { work, result });
    this.#series.observe('socketpod_reconcile_duration_seconds', { work }, seconds);
  }

  orphanDeleted(): void {
    this.#series.add('socketpod_orphan_pods_deleted_total', {});
  }

  /** See Metrics.kubeCalled. */
  kubeCalled(verb: string, resource: string, statusCode: number, seconds: number): void {
    this.#series.add('socketpod_kube_requests_total', { verb, resource, status_code: statusCode });
    this.#series.observe('socketpod_kube_request_duration_seconds', { verb, resource }, seconds);
  }

  /** See Metrics.watchRestarted. */
  watchRestarted(resource: string, cause: string): void {
    this.#series.add('socketpod_watch_restarts_total', { resource, cause });
  }

  *#each(figure: (of: FunctionFigures) => number | undefined): Generator<[FunctionLabels, number]> {
    if (!this.#sources().leading) return;
    for (const figures of this.#sources().figures()) {
      const value = figure(figures);
      if (value !== undefined) yield [labelsOf(figures.function), value];
    }
  }
}
