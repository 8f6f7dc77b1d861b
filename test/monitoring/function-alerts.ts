// The cases of the alerts on one function, with the words that the operator reads.
import { type AlertCase, draining, ends, inFlight, ready, starts, WHO, warm } from './made-up.ts';

export const FUNCTION_CASES: readonly AlertCase[] = [
  {
    alert: 'SocketpodFunctionFailing',
    why: 'a quarter is killed for memory, a twentieth exits',
    series: {
      ...ends(200, 'normal_closure', '0+14x60'),
      ...ends(434, 'memory_limit', '0+5x60'),
      ...ends(439, 'function_exited', '0+1x60'),
    },
    at: '20m',
    fires: [
      {
        labels: { ...WHO, code: '434' },
        summary: 'ns/fn fails with code 434.',
        description: '25% of its connections ended with 434 in the last 10m.',
      },
    ],
  },
  { alert: 'SocketpodFunctionFailing', why: 'four of four', series: ends(439, 'function_exited', '0x20 4x40'), at: '15m' },
  {
    alert: 'SocketpodFunctionFailing',
    why: 'clients that drop, idle or leave are not its fault',
    series: { ...ends(456, 'client_dropped', '0+5x60'), ...ends(455, 'idle_timeout', '0+5x60'), ...ends(499, 'client_left', '0+5x60') },
    at: '20m',
  },
  {
    alert: 'SocketpodFunctionFailing',
    why: 'requests for nobody',
    series: ends(435, 'route_not_found', '0+50x60', 'function_namespace="",function=""'),
    at: '20m',
  },

  {
    alert: 'SocketpodFunctionThrottled',
    why: 'a fifth, of both codes together',
    series: {
      ...ends(200, 'normal_closure', '0+8x60'),
      ...ends(432, 'max_connections', '0+1x60'),
      ...ends(429, 'rate_exceeded', '0+1x60'),
    },
    at: '20m',
    fires: [
      {
        labels: WHO,
        summary: 'ns/fn turns clients away.',
        description: '20% of its connections ended with 429 (a rate) or 432 (maxConnections, quota) in the last 10m.',
      },
    ],
  },
  {
    alert: 'SocketpodFunctionThrottled',
    why: 'a twentieth',
    series: { ...ends(200, 'normal_closure', '0+19x60'), ...ends(432, 'max_connections', '0+1x60') },
    at: '20m',
  },

  {
    alert: 'SocketpodFunctionNearMaxConnections',
    why: '95 of 100 on two proxies',
    series: inFlight(45, 5, 100),
    at: '10m',
    fires: [
      {
        labels: WHO,
        summary: 'ns/fn is near its maxConnections.',
        description: '95% of its maxConnections are in use; the next clients over it get 429 with code 432.',
      },
    ],
  },
  { alert: 'SocketpodFunctionNearMaxConnections', why: '90 of 100', series: inFlight(40, 10, 100), at: '10m' },
  { alert: 'SocketpodFunctionNearMaxConnections', why: 'switched off with some left', series: inFlight(1, 0, 0), at: '10m' },

  {
    alert: 'SocketpodFunctionNotReady',
    why: 'for a quarter of an hour',
    series: { ...ready('0x60', 100), ...draining('0x60') },
    at: '16m',
    fires: [
      {
        labels: WHO,
        summary: 'ns/fn is not ready.',
        description:
          'It is not accepted, so its clients are refused with 503 and code 438. (Not while it is switched off by maxConnections 0.)',
      },
    ],
  },
  { alert: 'SocketpodFunctionNotReady', why: 'not yet for long', series: { ...ready('1x20 0x40', 100), ...draining('0x60') }, at: '16m' },
  { alert: 'SocketpodFunctionNotReady', why: 'switched off', series: { ...ready('0x60', 0), ...draining('0x60') }, at: '16m' },
  { alert: 'SocketpodFunctionNotReady', why: 'there is no proxy, which another alert says', series: ready('0x60', 100), at: '16m' },

  {
    alert: 'SocketpodStartSlow',
    why: 'a fifth of the cold starts takes over 10 s',
    series: { ...starts('cold', 4, 1), ...starts('warm', 5, 0) },
    at: '25m',
    fires: [
      {
        labels: { ...WHO, start: 'cold' },
        summary: 'cold starts of ns/fn are slow.',
        description:
          "One in ten of its clients waits longer than 20s for the 101 (over 10 s cold or 1 s warm). Python's websockets gives up after 10 s, Firefox after 20 s.",
      },
    ],
  },
  { alert: 'SocketpodStartSlow', why: 'a twentieth does', series: starts('cold', 19, 1), at: '25m' },
  {
    alert: 'SocketpodStartSlow',
    why: 'all warm starts take over a second',
    series: starts('warm', 0, 1),
    at: '25m',
    fires: [
      {
        labels: { ...WHO, start: 'warm' },
        summary: 'warm starts of ns/fn are slow.',
        description:
          "One in ten of its clients waits longer than 28s for the 101 (over 10 s cold or 1 s warm). Python's websockets gives up after 10 s, Firefox after 20 s.",
      },
    ],
  },

  {
    alert: 'SocketpodWarmPodsMissing',
    why: '3 of 4, at most',
    series: { ...inFlight(10, 0, 100), ...warm('4x5 1x5 3x50', 4) },
    at: '25m',
    fires: [
      {
        labels: WHO,
        summary: 'ns/fn does not get its warm pods.',
        description:
          'It never had more than 3 of its warm pods in the last 10m; its clients wait for cold starts. (Not where maxConnections leaves no room for them.)',
      },
    ],
  },
  {
    alert: 'SocketpodWarmPodsMissing',
    why: 'they are taken and made again',
    series: { ...inFlight(10, 0, 100), ...warm('4 2 3 4 2 3 4 2 3 4 2 3 4 2 3 4 2 3 4 2 3 4 2 3 4 2 3 4 2 3 4 2 3 4 2 3 4', 4) },
    at: '17m',
  },
  {
    alert: 'SocketpodWarmPodsMissing',
    why: 'maxConnections leaves no room',
    series: { ...inFlight(49, 0, 100), ...warm('2x60', 4) },
    at: '25m',
  },
];
