// Panels on pods: how they start, how many there are, what they cost.
import { CHOSEN, grown, mean, type Panel, quantile, rate } from './panel.ts';
import { FUNCTION, MEMORY_LIMIT } from './recording.ts';

export const PODS_NOW: Panel = {
  title: 'Pods',
  description: 'Starting, warm and connected, now.',
  kind: 'stat',
  unit: 'short',
  width: 4,
  queries: [{ expr: `sum(socketpod_pods{${CHOSEN}})`, legend: 'pods' }],
};

export const COLD_NOW: Panel = {
  title: 'p95 of cold starts',
  description: 'From the upgrade request to the 101 where the pod was started for it, of the time shown.',
  kind: 'stat',
  unit: 's',
  width: 4,
  queries: [
    {
      expr: `histogram_quantile(0.95, sum by (le) (${grown(`socketpod_handshake_duration_seconds_bucket{${CHOSEN},start="cold"}`)}))`,
      legend: 'cold',
    },
  ],
};

export const WARM_NOW: Panel = {
  title: 'p95 of warm starts',
  description: 'From the upgrade request to the 101 where a warm pod was there, of the time shown.',
  kind: 'stat',
  unit: 's',
  width: 4,
  queries: [
    {
      expr: `histogram_quantile(0.95, sum by (le) (${grown(`socketpod_handshake_duration_seconds_bucket{${CHOSEN},start="warm"}`)}))`,
      legend: 'warm',
    },
  ],
};

export const POD_HOURS: Panel = {
  title: 'Pod-hours',
  description: 'Lives of the pods that went in the time shown, from create to gone. A pod counts when it is gone.',
  kind: 'stat',
  unit: 'h',
  width: 4,
  queries: [{ expr: `sum(${grown(`socketpod_pod_seconds_total{${CHOSEN}}`)}) / 3600`, legend: 'pod-hours' }],
};

export const MEMORY_HOURS: Panel = {
  title: 'GiB-hours',
  description: 'Pod-hours times the memory limit of the pod, in GiB: what SCF bills.',
  kind: 'stat',
  unit: 'short',
  width: 4,
  queries: [
    {
      expr: `sum(sum by (${FUNCTION}) (${grown(`socketpod_pod_seconds_total{${CHOSEN}}`)}) * on (${FUNCTION}) ${MEMORY_LIMIT}) / 3600 / 1073741824`,
      legend: 'GiB-hours',
    },
  ],
};

export const START_TIMES: Panel = {
  title: 'Time to the 101',
  description: 'From the upgrade request to the 101: cold on a pod that was started for it, warm on one that was there.',
  kind: 'lines',
  unit: 's',
  width: 8,
  queries: [0.5, 0.95].map((q) => ({
    expr: quantile(q, 'socketpod_handshake_duration_seconds', CHOSEN, 'start'),
    legend: `{{start}} p${q * 100}`,
  })),
};

const stages = (start: string): Panel => ({
  title: `Stages of a ${start} start`,
  description:
    'Mean of each: admit (checks, a place), create (the API server), schedule (a node), container (image, runtime), port (the function listens), handshake (it answers). Of all functions.',
  kind: 'stack',
  unit: 's',
  width: 8,
  queries: [{ expr: mean('socketpod_start_stage_duration_seconds', `start="${start}"`, 'stage'), legend: '{{stage}}' }],
});

export const COLD_STAGES = stages('cold');
export const WARM_STAGES = stages('warm');

export const PODS_BY_STATE: Panel = {
  title: 'Pods by state',
  description: 'Pods of all proxies.',
  kind: 'stack',
  unit: 'short',
  width: 8,
  queries: [{ expr: `sum by (state) (socketpod_pods{${CHOSEN}})`, legend: '{{state}}' }],
};

export const POD_STARTS: Panel = {
  title: 'Pod starts',
  description: 'ready: it went to a connection or stands warm. failed: the function code tells why. abandoned: its client left.',
  kind: 'stack',
  unit: 'suffix:/s',
  width: 8,
  queries: [{ expr: `sum by (start, result) (${rate(`socketpod_pod_starts_total{${CHOSEN}}`)}) > 0`, legend: '{{start}} {{result}}' }],
};

const byFunction = (expr: string) => `sum by (${FUNCTION}) (${expr})`;
const ends = (more: string) => byFunction(grown(`socketpod_connections_total{${CHOSEN},function!=""${more}}`));

export const TOP_FUNCTIONS: Panel = {
  title: 'Functions',
  description: 'Over the time shown, those with the most pod-hours first.',
  kind: 'table',
  unit: 'short',
  width: 8,
  units: { 'pod-hours': 'h', 'not 200': 'percentunit' },
  queries: [
    { expr: `${byFunction(grown(`socketpod_pod_seconds_total{${CHOSEN},function!=""}`))} / 3600`, legend: 'pod-hours' },
    { expr: byFunction(`socketpod_open_connections{${CHOSEN},function!=""}`), legend: 'open' },
    { expr: `round(${ends('')})`, legend: 'ended' },
    { expr: `${ends(',code!="200"')} / ${ends('')}`, legend: 'not 200' },
  ],
};
