// The cases of the alerts on the platform itself, with the words that the operator reads.
import { type AlertCase, calls, draining, ends, work } from './made-up.ts';

const NO_PROXY = {
  summary: 'No proxy takes connections.',
  description: 'Prometheus sees no proxy that is up and does not drain: nobody can connect.',
};
const NO_LEADER = {
  summary: 'No controller leads.',
  description: 'Clients see nothing of it, but conditions are not written, hosts are not given out, and orphans are not deleted.',
};

export const PLATFORM_CASES: readonly AlertCase[] = [
  {
    alert: 'SocketpodNoProxy',
    why: 'each drains',
    series: { ...draining('0x10 1x50'), ...draining('1x60', 'b') },
    at: '10m',
    fires: [NO_PROXY],
  },
  { alert: 'SocketpodNoProxy', why: 'none is there', series: draining('0x10 stale'), at: '10m', fires: [NO_PROXY] },
  { alert: 'SocketpodNoProxy', why: 'one of two drains', series: { ...draining('0x60'), ...draining('1x60', 'b') }, at: '10m' },
  { alert: 'SocketpodNoProxy', why: 'none for half a minute', series: draining('0x10 1 0x50'), at: '5m30s' },

  {
    alert: 'SocketpodPlatformErrors',
    why: '2 of 100 ends',
    series: { ...ends(200, 'normal_closure', '0+98x60'), ...ends(500, 'api_unavailable', '0+2x60') },
    at: '20m',
    fires: [
      {
        labels: { reason: 'api_unavailable' },
        summary: 'Connections end by faults of the platform (api_unavailable).',
        description: '2% of all connections ended with code 500, reason api_unavailable, in the last 10m.',
      },
    ],
  },
  {
    alert: 'SocketpodPlatformErrors',
    why: '1 of 200 ends',
    series: { ...ends(200, 'normal_closure', '0+199x60'), ...ends(500, 'internal_error', '0+1x60') },
    at: '20m',
  },
  {
    alert: 'SocketpodPlatformErrors',
    why: 'four ends, in all',
    series: { ...ends(200, 'normal_closure', '0x60'), ...ends(500, 'internal_error', '0x30 4x30') },
    at: '23m',
  },
  {
    alert: 'SocketpodPlatformErrors',
    why: 'a rollout whose drain closed what was left',
    series: { ...ends(200, 'normal_closure', '0+10x60'), ...ends(500, 'drained', '0+10x60'), ...ends(500, 'draining', '0+10x60') },
    at: '20m',
  },

  {
    alert: 'SocketpodWatchStale',
    why: 'nothing for 5 minutes',
    series: { 'socketpod_watch_last_event_timestamp_seconds{instance="a",resource="pods"}': '0+30x20 600x40' },
    at: '15m',
    fires: [
      {
        labels: { instance: 'a', resource: 'pods' },
        summary: 'a has not heard from the API server about pods.',
        description:
          'Its watch of pods is silent for 5m 0s; bookmarks come each minute. A proxy that sees no pods starts no connections, and does not learn of new or changed functions.',
      },
    ],
  },
  {
    alert: 'SocketpodWatchStale',
    why: 'bookmarks each minute',
    series: {
      'socketpod_watch_last_event_timestamp_seconds{instance="a",resource="pods"}': '0 0 60 60 120 120 180 180 240 240 300 300 360 360',
    },
    at: '6m30s',
  },

  {
    alert: 'SocketpodOrphanPods',
    why: 'three were deleted',
    series: { 'socketpod_orphan_pods_deleted_total{instance="c"}': '0x20 3x40' },
    at: '15m',
    fires: [
      {
        summary: 'Pods without a living proxy were deleted.',
        description:
          'The controller deleted 3 pods in the last 15m whose proxy is gone: it crashed, or was killed in its drain, and their clients were cut off.',
      },
    ],
  },
  {
    alert: 'SocketpodOrphanPods',
    why: 'that was long ago',
    series: { 'socketpod_orphan_pods_deleted_total{instance="c"}': '0x4 3x56' },
    at: '25m',
  },

  {
    alert: 'SocketpodNoLeader',
    why: 'two stand by',
    series: { 'socketpod_leader{instance="c"}': '1x10 0x50', 'socketpod_leader{instance="d"}': '0x60' },
    at: '10m',
    fires: [NO_LEADER],
  },
  { alert: 'SocketpodNoLeader', why: 'no controller is there', series: {}, at: '10m', fires: [NO_LEADER] },
  {
    alert: 'SocketpodNoLeader',
    why: 'one leads',
    series: { 'socketpod_leader{instance="c"}': '1x60', 'socketpod_leader{instance="d"}': '0x60' },
    at: '10m',
  },
  {
    alert: 'SocketpodNoLeader',
    why: 'the other took over after a minute',
    series: { 'socketpod_leader{instance="c"}': '1x10 0x50', 'socketpod_leader{instance="d"}': '0x12 1x48' },
    at: '6m30s',
  },

  {
    alert: 'SocketpodControllerFailing',
    why: 'three of four writes of a status fail',
    series: { ...work('done', 1), ...work('failed', 3) },
    at: '20m',
    fires: [
      {
        labels: { work: 'function' },
        summary: 'The controller fails at its work (function).',
        description:
          '75% of its tries failed in the last 10m. function: conditions and counts in the status; namespace: NetworkPolicies; trial: the check of a template.',
      },
    ],
  },
  { alert: 'SocketpodControllerFailing', why: 'one of three does', series: { ...work('done', 2), ...work('failed', 1) }, at: '20m' },

  {
    alert: 'SocketpodApiErrors',
    why: 'a tenth is throttled, a tenth not answered',
    series: { ...calls(201, 8), ...calls(429, 1), ...calls(0, 1) },
    at: '20m',
    fires: [
      {
        summary: 'The API server throttles or fails calls.',
        description:
          '20% of the calls to the API server were not answered, or with 429 or 5xx. New connections are slow to start, or are refused with 503 and code 500.',
      },
    ],
  },
  {
    alert: 'SocketpodApiErrors',
    why: 'refusals and conflicts are answers',
    series: { ...calls(201, 8), ...calls(409, 4), ...calls(403, 4) },
    at: '20m',
  },

  {
    alert: 'SocketpodPodDeletesPending',
    why: 'never under 30',
    series: { 'socketpod_pending_deletes{instance="a",pod="proxy-1"}': '30x30 40x30' },
    at: '16m',
    fires: [
      {
        labels: { instance: 'a', pod: 'proxy-1' },
        summary: 'proxy-1 cannot delete pods fast enough.',
        description:
          'At least 30 of its pods are waiting for the API server to confirm their deletion, for 10m. Each still takes room and a place under maxConnections.',
      },
    ],
  },
  {
    alert: 'SocketpodPodDeletesPending',
    why: 'a busy proxy that gets to the end of it',
    series: { 'socketpod_pending_deletes{instance="a"}': '30x10 5 30x49' },
    at: '12m',
  },
];
