// What is counted when. Nothing here is called per message or per byte: the traffic is read from plain totals at each scrape.
import { LIMITS, type Limit } from '../core/limit.ts';
import { OUTCOMES, type Outcome, outcome, type Reason } from '../core/outcome.ts';
import type { ConnectionRecord, Observer, Opened, Violation } from '../proxy/record.ts';
import { type Count, noTraffic, type Traffic } from '../proxy/traffic.ts';
import { type FunctionLabels, type Labels, POD_STATES, SOCKET_ERRORS, START_RESULTS, STARTS } from './definitions.ts';
import { Series } from './series.ts';

/** What a scrape reads; nothing of it is called at any other time, but `connections` when a function goes. */
export interface MetricSources {
  /** The live ones; `function` is `namespace/name`, `opened`: after the 101. */
  connections(): Iterable<{ readonly function: string; readonly opened: boolean }>;
  traffic(): Iterable<readonly [key: string, Traffic]>;
  /** Those of this replica. */
  pods(): Iterable<{ readonly function: string; readonly state: string }>;
  pendingDeletes(): number;
  draining(): boolean;
  /** `lastEventAt` in ms since 1970. */
  watches(): Iterable<{ readonly resource: string; readonly lastEventAt: number }>;
}

interface Known {
  readonly labels: FunctionLabels;
  /** Its series are there even while nothing has happened. */
  accepted: boolean;
  /** Deleted, but a connection of it lives: its end is still counted. */
  gone: boolean;
}

const NOBODY: FunctionLabels = { function: '', function_namespace: '' };
const NO_TRAFFIC = noTraffic();

/**
 * The metrics of one proxy. A function has series while it is served or a connection of it lives. What comes later still, such as the
 * end of its last pod, is counted for nobody (labels empty): totals hold, and no series stays for a name that is gone.
 */
export class Metrics implements Observer {
  readonly #sources: MetricSources;
  readonly #series: Series;
  readonly #functions = new Map<string, Known>();

  constructor(sources: MetricSources, version: string) {
    this.#sources = sources;
    this.#series = new Series('proxy', {
      socketpod_open_connections: () => this.#connections(true),
      socketpod_pending_connections: () => this.#connections(false),
      socketpod_messages_total: () => this.#traffic('messages'),
      socketpod_message_bytes_total: () => this.#traffic('bytes'),
      socketpod_throttled_seconds_total: () => this.#throttled(),
      socketpod_pods: () => this.#pods(),
      socketpod_pending_deletes: () => [[{}, sources.pendingDeletes()]],
      socketpod_draining: () => [[{}, sources.draining() ? 1 : 0]],
      socketpod_watch_last_event_timestamp_seconds: () =>
        [...sources.watches()].map(({ resource, lastEventAt }) => [{ resource }, lastEventAt / 1000]),
      socketpod_build_info: () => [[{ version }, 1]],
    });
    for (const cause of SOCKET_ERRORS) this.#series.add('socketpod_socket_errors_total', { cause }, 0);
  }

  /** Of the answer that carries the text. */
  get contentType(): string {
    return this.#series.contentType;
  }

  /** Everything in Prometheus's text format. */
  text(): Promise<string> {
    return this.#series.text();
  }

  /** A function came or changed. `accepted`: its series are there from now on, at 0. */
  functionServed(key: string, accepted: boolean): void {
    const before = this.#functions.get(key);
    if (before?.gone) this.#series.remove(before.labels);
    const known = { labels: labelsOf(key), accepted, gone: false };
    this.#functions.set(key, known);
    if (accepted) this.#zeros(known.labels);
  }

  /** A function was deleted: its series go, after the end of the last connection that still lives. */
  functionGone(key: string): void {
    const known = this.#functions.get(key);
    if (!known) return;
    known.gone = true;
    this.#forget(key, known);
  }

  opened({ function: key, handshakeMs, start, stages }: Opened): void {
    this.#series.observe('socketpod_handshake_duration_seconds', { ...this.#of(key), start }, handshakeMs / 1000);
    for (const [stage, ms] of Object.entries(stages) as [keyof typeof stages, number | undefined][]) {
      if (ms !== undefined) this.#series.observe('socketpod_start_stage_duration_seconds', { stage, start }, ms / 1000);
    }
  }

  ended({ function: key, reason, handshakeMs, openMs }: ConnectionRecord): void {
    const fn = this.#of(key);
    this.#series.add('socketpod_connections_total', { ...fn, code: outcome(reason).code, reason });
    if (handshakeMs !== undefined) this.#series.observe('socketpod_connection_duration_seconds', fn, openMs / 1000);
    const known = this.#functions.get(key);
    if (known?.gone) this.#forget(key, known);
  }

  violated({ function: key, limit, code, action }: Violation): void {
    this.#series.add('socketpod_limit_violations_total', { ...this.#of(key), limit, code, action });
  }

  /** A pod was asked for, and this is what became of it. */
  podStarted(key: string, start: (typeof STARTS)[number], result: (typeof START_RESULTS)[number]): void {
    this.#series.add('socketpod_pod_starts_total', { ...this.#of(key), start, result });
  }

  /** A pod is gone, `seconds` after its create. */
  podGone(key: string, seconds: number): void {
    this.#series.add('socketpod_pod_seconds_total', this.#of(key), seconds);
  }

  /** A call to the API server was answered; status 0: it was not. */
  kubeCalled(verb: string, resource: string, statusCode: number, seconds: number): void {
    this.#series.add('socketpod_kube_requests_total', { verb, resource, status_code: statusCode });
    this.#series.observe('socketpod_kube_request_duration_seconds', { verb, resource }, seconds);
  }

  /** A watch was opened again. `cause` comes from a closed list of the caller, never from an error's text. */
  watchRestarted(resource: string, cause: string): void {
    this.#series.add('socketpod_watch_restarts_total', { resource, cause });
  }

  /** A socket ended before there was an upgrade request. */
  socketError(cause: (typeof SOCKET_ERRORS)[number]): void {
    this.#series.add('socketpod_socket_errors_total', { cause });
  }

  #of(key: string): FunctionLabels {
    return this.#functions.get(key)?.labels ?? NOBODY;
  }

  #forget(key: string, known: Known): void {
    for (const connection of this.#sources.connections()) if (connection.function === key) return;
    this.#functions.delete(key);
    this.#series.remove(known.labels);
  }

  /** A rate sees the first of something only if there was a 0 before it. */
  #zeros(fn: FunctionLabels): void {
    for (const [reason, { code, main }] of Object.entries(OUTCOMES) as [Reason, Outcome][]) {
      if (main) this.#series.add('socketpod_connections_total', { ...fn, code, reason }, 0);
    }
    for (const [limit, { reason, actions }] of Object.entries(LIMITS) as [Limit, (typeof LIMITS)[Limit]][]) {
      const { code } = outcome(reason);
      for (const action of actions) this.#series.add('socketpod_limit_violations_total', { ...fn, limit, code, action }, 0);
    }
    for (const start of STARTS) {
      for (const result of START_RESULTS) this.#series.add('socketpod_pod_starts_total', { ...fn, start, result }, 0);
    }
    this.#series.add('socketpod_pod_seconds_total', fn, 0);
  }

  /** The functions whose series are there at each scrape. */
  #accepted(): FunctionLabels[] {
    return [...this.#functions.values()].filter(({ accepted }) => accepted).map(({ labels }) => labels);
  }

  *#connections(opened: boolean): Generator<[FunctionLabels, number]> {
    for (const fn of this.#accepted()) yield [fn, 0];
    for (const [key, count] of tally(this.#sources.connections(), (one) => one.opened === opened)) yield [this.#of(key), count];
  }

  *#pods(): Generator<[Labels<'socketpod_pods'>, number]> {
    for (const fn of this.#accepted()) for (const state of POD_STATES) yield [{ ...fn, state }, 0];
    for (const state of POD_STATES) {
      for (const [key, count] of tally(this.#sources.pods(), (pod) => pod.state === state)) yield [{ ...this.#of(key), state }, count];
    }
  }

  /** Each known function with its totals; a function of the same name that came back has new ones. */
  *#totals(): Generator<[FunctionLabels, Traffic]> {
    for (const fn of this.#accepted()) yield [fn, NO_TRAFFIC];
    for (const [key, traffic] of this.#sources.traffic()) {
      const known = this.#functions.get(key);
      if (known) yield [known.labels, traffic];
    }
  }

  *#traffic(what: keyof Count): Generator<[Labels<'socketpod_messages_total'>, number]> {
    for (const [fn, { up, down }] of this.#totals()) {
      yield [{ ...fn, direction: 'up' }, up[what]];
      yield [{ ...fn, direction: 'down' }, down[what]];
    }
  }

  *#throttled(): Generator<[FunctionLabels, number]> {
    for (const [fn, { throttledMs }] of this.#totals()) yield [fn, throttledMs / 1000];
  }
}

/** How many of these there are by function: to add to a series costs microseconds, and there may be ten thousand connections. */
function tally<T extends { readonly function: string }>(all: Iterable<T>, counted: (one: T) => boolean): Map<string, number> {
  const counts = new Map<string, number>();
  for (const one of all) if (counted(one)) counts.set(one.function, (counts.get(one.function) ?? 0) + 1);
  return counts;
}

/** `namespace/name` as labels. */
export function labelsOf(key: string): FunctionLabels {
  const slash = key.indexOf('/');
  return { function: key.slice(slash + 1), function_namespace: key.slice(0, slash) };
}
