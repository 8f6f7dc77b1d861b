// Panels on connections: how many, how they end, what they carry.
import { CHOSEN, grown, type Panel, quantile, rate } from './panel.ts';
import { FUNCTION } from './recording.ts';

export const OPEN_NOW: Panel = {
  title: 'Open connections',
  description: 'Connections after the 101, now.',
  kind: 'stat',
  unit: 'short',
  width: 4,
  queries: [{ expr: `sum(socketpod_open_connections{${CHOSEN}})`, legend: 'open' }],
};

export const HELD_NOW: Panel = {
  title: 'Handshakes held',
  description: 'Upgrade requests that wait for their pod and its answer, now.',
  kind: 'stat',
  unit: 'short',
  width: 4,
  queries: [{ expr: `sum(socketpod_pending_connections{${CHOSEN}})`, legend: 'held' }],
};

export const SUCCESS_SHARE: Panel = {
  title: 'Ended with 200',
  description:
    'Share of the connections that ended in the time shown. A closed browser tab is 456 and an idle one 455: neither is a fault.',
  kind: 'stat',
  unit: 'percentunit',
  width: 4,
  queries: [
    {
      expr: `sum(${grown(`socketpod_connections_total{${CHOSEN},code="200"}`)}) / sum(${grown(`socketpod_connections_total{${CHOSEN}}`)})`,
      legend: '200',
    },
  ],
};

export const OPEN_BY_FUNCTION: Panel = {
  title: 'Open connections by function',
  description: 'The ten functions with the most.',
  kind: 'stack',
  unit: 'short',
  width: 12,
  queries: [
    {
      expr: `topk(10, sum by (${FUNCTION}) (socketpod_open_connections{${CHOSEN},function!=""}))`,
      legend: '{{function_namespace}}/{{function}}',
    },
  ],
};

export const OPENS: Panel = {
  title: 'Opens per second',
  description: 'Connections that came to their 101, on a pod that was started for them (cold) or before (warm).',
  kind: 'stack',
  unit: 'suffix:/s',
  width: 12,
  queries: [{ expr: `sum by (start) (${rate(`socketpod_handshake_duration_seconds_count{${CHOSEN}}`)})`, legend: '{{start}}' }],
};

export const ENDS_BY_CODE: Panel = {
  title: 'Ends by function code',
  description: 'Every upgrade request that came to its end, refused ones too. 200 is the only success; the README has the table of codes.',
  kind: 'stack',
  unit: 'suffix:/s',
  width: 12,
  queries: [{ expr: `sum by (code) (${rate(`socketpod_connections_total{${CHOSEN}}`)}) > 0`, legend: '{{code}}' }],
};

export const ENDS_BY_REASON: Panel = {
  ...ENDS_BY_CODE,
  title: 'Ends by code and reason',
  queries: [{ expr: `sum by (code, reason) (${rate(`socketpod_connections_total{${CHOSEN}}`)}) > 0`, legend: '{{code}} {{reason}}' }],
};

export const VIOLATIONS: Panel = {
  title: 'Limits passed',
  description: 'By limit and by what was done: the connection closed, its client read more slowly, or its upgrade refused.',
  kind: 'stack',
  unit: 'suffix:/s',
  width: 12,
  queries: [
    {
      expr: `sum by (limit, action) (${rate(`socketpod_limit_violations_total{${CHOSEN}}`)}) > 0`,
      legend: '{{limit}}: {{action}}',
    },
  ],
};

export const DURATIONS: Panel = {
  title: 'How long connections were open',
  description: 'From the 101 to the end, of those that ended; by the bounds of buckets from 1 s to 1 d.',
  kind: 'lines',
  unit: 's',
  width: 12,
  queries: [0.5, 0.95].map((q) => ({
    expr: quantile(q, 'socketpod_connection_duration_seconds', CHOSEN),
    legend: `p${q * 100}`,
  })),
};

const byDirection = (title: string, unit: Panel['unit'], name: string, description: string): Panel => ({
  title,
  description,
  kind: 'lines',
  unit,
  width: 12,
  queries: [{ expr: `sum by (direction) (${rate(`${name}{${CHOSEN}}`)})`, legend: '{{direction}}' }],
});

export const MESSAGES = byDirection(
  'Messages',
  'suffix:/s',
  'socketpod_messages_total',
  'Whole text and binary messages; up is to the function.',
);
export const MESSAGE_BYTES = byDirection('Payload', 'Bps', 'socketpod_message_bytes_total', 'Bytes of messages; up is to the function.');

export const THROTTLED: Panel = {
  title: 'Clients held back',
  description: 'How many clients were read more slowly at a time, on average, because of a rate.',
  kind: 'lines',
  unit: 'short',
  width: 12,
  queries: [{ expr: `sum(${rate(`socketpod_throttled_seconds_total{${CHOSEN}}`)})`, legend: 'clients' }],
};
