// The two dashboards: all functions, and one.
import * as connections from './connections.ts';
import { type Board, CHOSEN, type Panel } from './panel.ts';
import * as platform from './platform.ts';
import * as pods from './pods.ts';
import { RECORDING_RULES } from './recording.ts';

/** All functions, and the platform itself. */
export const OVERVIEW: Board = {
  uid: 'socketpod-overview',
  title: 'Socketpod / Overview',
  description: 'WebSocket functions, one pod for each connection: how many, how they end, how they start, what they cost.',
  functions: 'several',
  rows: [
    {
      title: 'Now',
      panels: [connections.OPEN_NOW, connections.HELD_NOW, pods.PODS_NOW, connections.SUCCESS_SHARE, pods.COLD_NOW, pods.POD_HOURS],
    },
    {
      title: 'Connections',
      panels: [connections.OPEN_BY_FUNCTION, connections.OPENS, connections.ENDS_BY_CODE, connections.VIOLATIONS],
    },
    { title: 'Start-up', panels: [pods.START_TIMES, pods.COLD_STAGES, pods.WARM_STAGES] },
    { title: 'Pods', panels: [pods.PODS_BY_STATE, pods.POD_STARTS, pods.TOP_FUNCTIONS] },
    {
      title: 'Proxies and controllers',
      panels: [
        platform.REPLICAS,
        platform.API_CALLS,
        platform.API_TIMES,
        platform.WATCH_AGE,
        platform.LEFTOVERS,
        platform.SOCKET_ERRORS,
        platform.RECONCILES,
        platform.RECONCILE_TIME,
        platform.LOOP_LAG,
        platform.MEMORY,
        platform.CPU,
      ],
    },
  ],
};

const OF_MAX: Panel = {
  title: 'Of maxConnections',
  description: 'Connections open and held, of the most that there may be.',
  kind: 'stat',
  unit: 'percentunit',
  width: 4,
  queries: [
    {
      expr: `sum({__name__=~"socketpod_(open|pending)_connections",${CHOSEN}}) / max(socketpod_function_max_connections{${CHOSEN}} > 0)`,
      legend: 'used',
    },
  ],
};

const CONNECTIONS_OF_MAX: Panel = {
  title: 'Connections',
  description: 'Open, held, and the most that there may be.',
  kind: 'lines',
  unit: 'short',
  width: 12,
  queries: [
    { expr: `sum(socketpod_open_connections{${CHOSEN}})`, legend: 'open' },
    { expr: `sum(socketpod_pending_connections{${CHOSEN}})`, legend: 'held' },
    { expr: `max(socketpod_function_max_connections{${CHOSEN}})`, legend: 'maxConnections' },
  ],
};

const WARM_OF_DESIRED: Panel = {
  title: 'Warm pods',
  description: 'Those that are there, and those that there should be.',
  kind: 'lines',
  unit: 'short',
  width: 8,
  queries: [
    { expr: `sum(socketpod_pods{${CHOSEN},state="warm"})`, legend: 'warm' },
    { expr: `max(socketpod_function_warm_pods_desired{${CHOSEN}})`, legend: 'desired' },
  ],
};

const scfRecord = (name: string) => RECORDING_RULES.find(({ scf }) => scf === name)?.record ?? '';

const CLOUD_MONITOR: Panel = {
  title: "As SCF's Cloud Monitor counts",
  description: 'From the recording rules: of five minutes each, as in the table of the docs.',
  kind: 'lines',
  unit: 'short',
  width: 24,
  queries: ['Invocation', 'Error', 'Throttle', 'ConcurrentExecutions'].map((name) => ({
    expr: `sum(${scfRecord(name)}{${CHOSEN}})`,
    legend: name,
  })),
};

/** One function. */
export const FUNCTION: Board = {
  uid: 'socketpod-function',
  title: 'Socketpod / Function',
  description: 'One WebSocket function: its connections, how they start and end, and its pods.',
  functions: 'one',
  rows: [
    {
      title: 'Now',
      panels: [connections.OPEN_NOW, OF_MAX, connections.SUCCESS_SHARE, pods.COLD_NOW, pods.WARM_NOW, pods.MEMORY_HOURS],
    },
    {
      title: 'Connections',
      panels: [CONNECTIONS_OF_MAX, connections.ENDS_BY_REASON, connections.DURATIONS, connections.VIOLATIONS],
    },
    { title: 'Pods', panels: [pods.START_TIMES, pods.PODS_BY_STATE, WARM_OF_DESIRED, pods.POD_STARTS] },
    { title: 'Traffic', panels: [connections.MESSAGES, connections.MESSAGE_BYTES, connections.THROTTLED] },
    { title: 'Cloud Monitor', panels: [CLOUD_MONITOR] },
  ],
};

/** Every dashboard. */
export const BOARDS: readonly Board[] = [OVERVIEW, FUNCTION];
