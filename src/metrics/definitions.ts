// Every series once: name, type, labels with what they may say, meaning, buckets. The registry is built from it, and the table of docs/reference.md.
import { LIMITS, type Limit } from '../core/limit.ts';

/** A list: the label says one of these and nothing else. Words: what it says, where its name is not enough. */
export type Label = readonly string[] | string;

/** What has a series: the data plane (proxy and dev), the controller. */
export type Process = 'proxy' | 'controller';

/** One series. A label that does not stand here cannot be set. */
export interface Definition {
  readonly type: 'counter' | 'gauge' | 'histogram';
  readonly labels: Readonly<Record<string, Label>>;
  readonly help: string;
  /** Which processes have it; default: the proxy alone. */
  readonly of?: readonly Process[];
  /** Upper bounds of a histogram, ascending, in its unit. */
  readonly buckets?: readonly number[];
}

/** Empty when no function was found. No pod, client, path, close code or id is ever a label: each would make series without bound. */
const FUNCTION = { function: '', function_namespace: '' } as const;

export const STARTS = ['cold', 'warm'] as const;
export const START_RESULTS = ['ready', 'failed', 'abandoned'] as const;
export const SOCKET_ERRORS = ['tls', 'head_timeout', 'head_too_large', 'malformed', 'overload'] as const;
/** What a pod's label says of it. */
export const POD_STATES = ['starting', 'warm', 'connected'] as const;
const STAGES = ['admit', 'create', 'schedule', 'container', 'port', 'handshake'] as const;

const BOTH = ['proxy', 'controller'] as const;
const CONTROLLER = ['controller'] as const;
export const WORKS = ['function', 'namespace', 'trial'] as const;
export const WORK_RESULTS = ['done', 'failed'] as const;

/** From a warm start on the same node to the longest init timeout, in seconds. */
const START_BUCKETS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 90, 300] as const;

const table = {
  socketpod_connections_total: {
    type: 'counter',
    labels: { ...FUNCTION, code: '', reason: '' },
    help: 'Upgrade requests that came to their end, refused ones too: exactly one each.',
  },
  socketpod_limit_violations_total: {
    type: 'counter',
    labels: { ...FUNCTION, limit: Object.keys(LIMITS) as Limit[], code: '', action: ['close', 'throttle', 'refuse'] },
    help: 'Limits that were passed, and what was done.',
  },
  socketpod_open_connections: { type: 'gauge', labels: FUNCTION, help: 'Connections after the 101.' },
  socketpod_pending_connections: { type: 'gauge', labels: FUNCTION, help: 'Handshakes that are held until the function has answered.' },
  socketpod_connection_duration_seconds: {
    type: 'histogram',
    labels: FUNCTION,
    help: 'From the 101 to the end of a connection.',
    buckets: [1, 5, 15, 60, 300, 900, 3600, 7200, 14400, 86400],
  },
  socketpod_handshake_duration_seconds: {
    type: 'histogram',
    labels: { ...FUNCTION, start: STARTS },
    help: 'From the upgrade request to its 101.',
    buckets: START_BUCKETS,
  },
  socketpod_start_stage_duration_seconds: {
    type: 'histogram',
    labels: { stage: STAGES, start: STARTS },
    help: 'The stages of the starts that came to a 101.',
    buckets: START_BUCKETS,
  },
  socketpod_messages_total: {
    type: 'counter',
    labels: { ...FUNCTION, direction: ['up', 'down'] },
    help: 'Data messages; up is to the function.',
  },
  socketpod_message_bytes_total: {
    type: 'counter',
    labels: { ...FUNCTION, direction: ['up', 'down'] },
    help: 'Payload bytes of data messages.',
  },
  socketpod_throttled_seconds_total: { type: 'counter', labels: FUNCTION, help: 'Time for which reads from clients were held back.' },
  socketpod_pods: { type: 'gauge', labels: { ...FUNCTION, state: POD_STATES.join(', ') }, help: 'Pods of this replica.' },
  socketpod_pod_starts_total: {
    type: 'counter',
    labels: { ...FUNCTION, start: STARTS, result: START_RESULTS },
    help: 'Pods that were asked for.',
  },
  socketpod_pod_seconds_total: { type: 'counter', labels: FUNCTION, help: 'Lives of pods, from create to gone.' },
  socketpod_pending_deletes: { type: 'gauge', labels: {}, help: 'Pods whose deletion the API server has not confirmed yet.' },
  socketpod_draining: { type: 'gauge', labels: {}, help: '1 while the proxy drains.' },
  socketpod_socket_errors_total: {
    type: 'counter',
    labels: { cause: SOCKET_ERRORS },
    help: 'Sockets that ended before there was an upgrade request.',
  },
  socketpod_kube_requests_total: {
    of: BOTH,
    type: 'counter',
    labels: { verb: '', resource: 'plural name', status_code: 'HTTP status, 0 without an answer' },
    help: 'Calls to the API server.',
  },
  socketpod_kube_request_duration_seconds: {
    of: BOTH,
    type: 'histogram',
    labels: { verb: '', resource: 'plural name' },
    help: 'Time that calls to the API server took; a watch until its first answer.',
    buckets: [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 20],
  },
  socketpod_watch_last_event_timestamp_seconds: {
    of: BOTH,
    type: 'gauge',
    labels: { resource: 'plural name' },
    help: 'When a watch last heard from the API server, bookmarks too, in seconds since 1970.',
  },
  socketpod_watch_restarts_total: {
    of: BOTH,
    type: 'counter',
    labels: { resource: 'plural name', cause: 'why the last one ended' },
    help: 'Watches that were opened again.',
  },
  socketpod_function_ready: {
    of: CONTROLLER,
    type: 'gauge',
    labels: FUNCTION,
    help: '1 while the condition Ready holds. Told by the leader.',
  },
  socketpod_function_max_connections: { of: CONTROLLER, type: 'gauge', labels: FUNCTION, help: 'maxConnections. Told by the leader.' },
  socketpod_function_warm_pods_desired: { of: CONTROLLER, type: 'gauge', labels: FUNCTION, help: 'warmPods. Told by the leader.' },
  socketpod_function_memory_limit_bytes: {
    of: CONTROLLER,
    type: 'gauge',
    labels: FUNCTION,
    help: "Memory limit of the function's container, where it has one. Told by the leader.",
  },
  socketpod_reconciles_total: {
    of: CONTROLLER,
    type: 'counter',
    labels: { work: WORKS, result: WORK_RESULTS },
    help: 'Looks at a function, at the NetworkPolicy of a namespace, and trials of pods.',
  },
  socketpod_reconcile_duration_seconds: {
    of: CONTROLLER,
    type: 'histogram',
    labels: { work: WORKS },
    help: 'Time that they took, with their writes.',
    buckets: [0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5, 20],
  },
  socketpod_orphan_pods_deleted_total: { of: CONTROLLER, type: 'counter', labels: {}, help: 'Pods of dead proxies that were deleted.' },
  socketpod_queue_depth: { of: CONTROLLER, type: 'gauge', labels: {}, help: 'What waits to be looked at.' },
  socketpod_leader: { of: CONTROLLER, type: 'gauge', labels: {}, help: '1 while this controller leads.' },
  socketpod_build_info: { of: BOTH, type: 'gauge', labels: { version: '' }, help: 'Always 1.' },
} as const satisfies Record<string, Definition>;

type Table = typeof table;

/** The name of a series. */
export type Name = keyof Table;

/** The names of the series of one type. */
export type NameOf<Type extends Definition['type']> = { [N in Name]: Table[N]['type'] extends Type ? N : never }[Name];

/** A label set of a series: all its labels, each with a value that it may have. */
export type Labels<N extends Name> = {
  readonly [L in keyof Table[N]['labels']]: Table[N]['labels'][L] extends readonly (infer Value)[] ? Value : string | number;
};

/** The labels of a series that every function has once. */
export type FunctionLabels = Labels<'socketpod_open_connections'>;

/** Every series; the order is that of the docs. */
export const SERIES: Readonly<Record<Name, Definition>> = table;
