// Panels on the proxies and controllers themselves, and on their talk with the API server.
import { type Panel, quantile, rate } from './panel.ts';

/** Only our own processes: every Node program has metrics of these names. */
const ours = (expr: string) => `${expr} * on (job, instance) group_left () max by (job, instance) (socketpod_build_info)`;

export const REPLICAS: Panel = {
  title: 'Proxies and leader',
  description: 'Proxies that take connections, proxies that drain, controllers that lead (one, or something is wrong).',
  kind: 'lines',
  unit: 'short',
  width: 8,
  queries: [
    { expr: 'count(socketpod_draining == 0) or vector(0)', legend: 'ready' },
    { expr: 'sum(socketpod_draining)', legend: 'draining' },
    { expr: 'sum(socketpod_leader)', legend: 'leading' },
  ],
};

export const API_CALLS: Panel = {
  title: 'Calls to the API server',
  description: 'By verb, resource and status; 0 is a call without an answer.',
  kind: 'stack',
  unit: 'suffix:/s',
  width: 8,
  queries: [
    {
      expr: `sum by (verb, resource, status_code) (${rate('socketpod_kube_requests_total')}) > 0`,
      legend: '{{verb}} {{resource}} {{status_code}}',
    },
  ],
};

export const API_TIMES: Panel = {
  title: 'Time of calls to the API server',
  description: 'p95 by verb; a watch until its first answer.',
  kind: 'lines',
  unit: 's',
  width: 8,
  queries: [{ expr: quantile(0.95, 'socketpod_kube_request_duration_seconds', '', 'verb'), legend: '{{verb}}' }],
};

export const WATCH_AGE: Panel = {
  title: 'Age of the last event of watches',
  description: 'The oldest of all replicas; bookmarks come each minute, so a watch that lives is younger than that.',
  kind: 'lines',
  unit: 's',
  width: 8,
  queries: [{ expr: 'max by (resource) (time() - socketpod_watch_last_event_timestamp_seconds)', legend: '{{resource}}' }],
};

export const LEFTOVERS: Panel = {
  title: 'Left over',
  description:
    'Deletions of pods that the API server has not confirmed yet; orphans are pods of dead proxies that the controller deleted; the queue is what waits for the controller.',
  kind: 'lines',
  unit: 'short',
  width: 8,
  queries: [
    { expr: 'sum(socketpod_pending_deletes)', legend: 'pending deletes' },
    { expr: `sum(${rate('socketpod_orphan_pods_deleted_total')}) * 60`, legend: 'orphans a minute' },
    { expr: 'sum(socketpod_queue_depth)', legend: 'queue' },
  ],
};

export const SOCKET_ERRORS: Panel = {
  title: 'Sockets without an upgrade request',
  description: 'Ended before there was one: TLS, a head that is late, too large or malformed, too many of one address.',
  kind: 'stack',
  unit: 'suffix:/s',
  width: 8,
  queries: [{ expr: `sum by (cause) (${rate('socketpod_socket_errors_total')})`, legend: '{{cause}}' }],
};

export const RECONCILES: Panel = {
  title: 'Work of the controller',
  description: 'Looks at a function, at the NetworkPolicy of a namespace, trials of a template.',
  kind: 'stack',
  unit: 'suffix:/s',
  width: 8,
  queries: [
    {
      expr: `sum by (work, result) (${rate('socketpod_reconciles_total')}) > 0`,
      legend: '{{work}} {{result}}',
    },
  ],
};

export const RECONCILE_TIME: Panel = {
  title: 'Time of the work of the controller',
  description: 'p95, with its writes to the API server.',
  kind: 'lines',
  unit: 's',
  width: 8,
  queries: [{ expr: quantile(0.95, 'socketpod_reconcile_duration_seconds', '', 'work'), legend: '{{work}}' }],
};

export const LOOP_LAG: Panel = {
  title: 'Event loop lag',
  description: 'p99 of how late Node gets to the next thing; every connection of that process feels it.',
  kind: 'lines',
  unit: 's',
  width: 8,
  queries: [{ expr: ours('nodejs_eventloop_lag_p99_seconds'), legend: '{{instance}}' }],
};

export const MEMORY: Panel = {
  title: 'Memory',
  description: 'Resident, of each process.',
  kind: 'lines',
  unit: 'bytes',
  width: 8,
  queries: [{ expr: ours('process_resident_memory_bytes'), legend: '{{instance}}' }],
};

export const CPU: Panel = {
  title: 'CPU',
  description: 'Cores that each process uses; one core is all that a proxy can use.',
  kind: 'lines',
  unit: 'short',
  width: 8,
  queries: [{ expr: ours(rate('process_cpu_seconds_total')), legend: '{{instance}}' }],
};
