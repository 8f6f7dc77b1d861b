// The alerts: what an operator wants to be woken for, or to find in the morning, and what to do then.
import { FUNCTION, IN_FLIGHT } from './recording.ts';
import { FUNCTION_FAULTS, PLATFORM_FAULTS, THRESHOLDS } from './thresholds.ts';

/** An alert. Its texts are Prometheus's templates. */
export interface Alert {
  readonly name: string;
  /** critical: clients are cut off now. warning: look at it today. */
  readonly severity: 'critical' | 'warning';
  readonly expr: string;
  /** How long the expression has to hold, a PromQL duration. */
  readonly for: string;
  /** The expression in words, for the docs; with `for` behind it. */
  readonly when: string;
  readonly summary: string;
  readonly description: string;
  /** What it means and what to do; plain text, one paragraph. */
  readonly runbook: string;
}

const T = THRESHOLDS;
const WHO = '{{ $labels.function_namespace }}/{{ $labels.function }}';
const percent = (share: number) => `${share * 100} %`;
const SHARE = '{{ $value | humanizePercentage }}';

const recent = (by: string, selector: string) => `sum by (${by}) (increase(${selector}[${T.window}]))`;
const ENDS = recent(FUNCTION, 'socketpod_connections_total{function!=""}');
const MAX_CONNECTIONS = `max by (${FUNCTION}) (socketpod_function_max_connections)`;
const WARM_DESIRED = `max by (${FUNCTION}) (socketpod_function_warm_pods_desired)`;

/** Alerts when a share of a function's ends is too large, and not just of a handful of them. */
function shareOfEnds(part: string, threshold: number): string {
  return [`(${part}`, `  / on (${FUNCTION}) group_left ()`, `${ENDS}) > ${threshold}`, `  and`, `${part} >= ${T.leastEvents}`].join('\n');
}

const FAULTS = recent(`${FUNCTION}, code`, `socketpod_connections_total{function!="",code=~"${FUNCTION_FAULTS.join('|')}"}`);
const THROTTLED = recent(FUNCTION, 'socketpod_connections_total{function!="",code=~"429|432"}');
const PLATFORM = recent('reason', `socketpod_connections_total{reason=~"${PLATFORM_FAULTS.join('|')}"}`);

const FAILED = recent('work', 'socketpod_reconciles_total{result="failed"}');

const startsOf = (start: string) => recent(`${FUNCTION}, start`, `socketpod_handshake_duration_seconds_count{start="${start}"}`);
const slow = (start: string, seconds: number) =>
  [
    `histogram_quantile(0.9, ${recent(`${FUNCTION}, start, le`, `socketpod_handshake_duration_seconds_bucket{start="${start}"}`)}) > ${seconds}`,
    `  and`,
    `${startsOf(start)} >= ${T.leastEvents}`,
  ].join('\n');

/** The worst first. */
export const ALERTS: readonly Alert[] = [
  {
    name: 'SocketpodNoProxy',
    severity: 'critical',
    expr: 'absent(socketpod_draining == 0)',
    for: '1m',
    when: 'no proxy is up that does not drain',
    summary: 'No proxy takes connections.',
    description: 'Prometheus sees no proxy that is up and does not drain: nobody can connect.',
    runbook:
      'Look at the proxies: kubectl get pods -l app.kubernetes.io/component=proxy, then describe and logs of one that is not ready. If all are ready, Prometheus does not reach their admin port: look at its targets, at the PodMonitor and at the NetworkPolicy. It fires too where nothing of Socketpod is scraped at all.',
  },
  {
    name: 'SocketpodPlatformErrors',
    severity: 'critical',
    expr: [
      `(${PLATFORM}`,
      `  / on () group_left ()`,
      `sum(increase(socketpod_connections_total[${T.window}]))) > ${T.platformErrorShare}`,
      `  and`,
      `${PLATFORM} >= ${T.leastEvents}`,
    ].join('\n'),
    for: '5m',
    when: `${percent(T.platformErrorShare)} of all ends are one of ${PLATFORM_FAULTS.join(', ')}`,
    summary: 'Connections end by faults of the platform ({{ $labels.reason }}).',
    description: `${SHARE} of all connections ended with code 500, reason {{ $labels.reason }}, in the last ${T.window}.`,
    runbook:
      'api_unavailable: the API server does not answer the proxies, or refuses them; see SocketpodApiErrors. overloaded: more handshakes are held than --max-pending; add proxies, or find the function whose starts hang. internal_error: a bug; the log lines of these ends have the detail, please report it.',
  },
  {
    name: 'SocketpodWatchStale',
    severity: 'critical',
    expr: `time() - socketpod_watch_last_event_timestamp_seconds > ${T.watchAgeSeconds}`,
    for: '1m',
    when: `a watch of a replica has heard nothing for ${T.watchAgeSeconds} s`,
    summary: '{{ or $labels.pod $labels.instance }} has not heard from the API server about {{ $labels.resource }}.',
    description:
      'Its watch of {{ $labels.resource }} is silent for {{ $value | humanizeDuration }}; bookmarks come each minute. A proxy that sees no pods starts no connections, and does not learn of new or changed functions.',
    runbook:
      'Open connections go on. Is the API server up (kubectl get --raw /readyz)? If it is, look at the log of this instance for the cause of its restarts (socketpod_watch_restarts_total has them too), at the NetworkPolicy in front of the API server and at the rights of its account; else delete the pod: it drains, and a new one takes its place.',
  },
  {
    name: 'SocketpodFunctionFailing',
    severity: 'warning',
    expr: shareOfEnds(FAULTS, T.functionFailureShare),
    for: '5m',
    when: `${percent(T.functionFailureShare)} of a function's ends are one of ${FUNCTION_FAULTS.join(', ')}`,
    summary: `${WHO} fails with code {{ $labels.code }}.`,
    description: `${SHARE} of its connections ended with {{ $labels.code }} in the last ${T.window}.`,
    runbook:
      'The table of function codes tells what the code means; the log lines of these ends have reason, detail and the last words of the container, and kubectl describe wsf shows them as Events. 434: raise its memory limit. 439, 405: it crashes. 444, 445, 447: its image or its template. 446: it starts too slowly or does not listen on its port. 449: the cluster has no room.',
  },
  {
    name: 'SocketpodFunctionThrottled',
    severity: 'warning',
    expr: shareOfEnds(THROTTLED, T.throttledShare),
    for: '5m',
    when: `${percent(T.throttledShare)} of a function's ends are 429 or 432`,
    summary: `${WHO} turns clients away.`,
    description: `${SHARE} of its connections ended with 429 (a rate) or 432 (maxConnections, quota) in the last ${T.window}.`,
    runbook:
      'socketpod_limit_violations_total tells which limit. max_connections: raise maxConnections, or the namespace quota. start_rate: raise --max-starts-per-second, or add proxies. messages_per_second, bytes_per_second: raise the field, or find the client that sends so much.',
  },
  {
    name: 'SocketpodFunctionNearMaxConnections',
    severity: 'warning',
    expr: `${IN_FLIGHT}\n  / on (${FUNCTION})\n(${MAX_CONNECTIONS} > 0) > ${T.maxConnectionsShare}`,
    for: '5m',
    when: `over ${percent(T.maxConnectionsShare)} of maxConnections are open or held`,
    summary: `${WHO} is near its maxConnections.`,
    description: `${SHARE} of its maxConnections are in use; the next clients over it get 429 with code 432.`,
    runbook:
      'Raise maxConnections if the cluster has room for as many pods; else find out whether connections stay open for nothing (idleTimeoutSeconds).',
  },
  {
    name: 'SocketpodFunctionNotReady',
    severity: 'warning',
    expr: [
      `max by (${FUNCTION}) (socketpod_function_ready) == 0`,
      `  unless on (${FUNCTION})`,
      `${MAX_CONNECTIONS} == 0`,
      `  and on ()`,
      `count(socketpod_draining == 0) > 0`,
    ].join('\n'),
    for: '15m',
    when: 'a function is not Ready, is not switched off, and there is a proxy',
    summary: `${WHO} is not ready.`,
    description:
      'It is not accepted, so its clients are refused with 503 and code 438. (Not while it is switched off by maxConnections 0.)',
    runbook:
      'kubectl describe wsf shows the condition Accepted with its reason and what to change: a field over a ceiling, a host that another namespace holds, a pod that the API server refuses.',
  },
  {
    name: 'SocketpodStartSlow',
    severity: 'warning',
    expr: `${slow('cold', T.coldStartSeconds)}\nor\n${slow('warm', T.warmStartSeconds)}`,
    for: '10m',
    when: `p90 of the time to the 101 is over ${T.coldStartSeconds} s cold, or ${T.warmStartSeconds} s warm`,
    summary: `{{ $labels.start }} starts of ${WHO} are slow.`,
    description: `One in ten of its clients waits longer than {{ $value | humanizeDuration }} for the 101 (over ${T.coldStartSeconds} s cold or ${T.warmStartSeconds} s warm). Python's websockets gives up after 10 s, Firefox after 20 s.`,
    runbook:
      'The panel of stages tells where the time goes. schedule: no node has room at once. container: the image is pulled (pre-pull it, or make it smaller) or the runtime is slow. port, handshake: the function itself. Give it warmPods. A slow warm start is the function answering slowly, or a proxy without CPU time.',
  },
  {
    name: 'SocketpodWarmPodsMissing',
    severity: 'warning',
    expr: [
      `max_over_time(sum by (${FUNCTION}) (socketpod_pods{state="warm"})[${T.window}:1m])`,
      `  < on (${FUNCTION})`,
      WARM_DESIRED,
      `  unless on (${FUNCTION})`,
      `${IN_FLIGHT} + on (${FUNCTION}) ${WARM_DESIRED} > on (${FUNCTION}) ${MAX_CONNECTIONS}`,
    ].join('\n'),
    for: '5m',
    when: `never in ${T.window} were all warmPods there, though maxConnections has room`,
    summary: `${WHO} does not get its warm pods.`,
    description: `It never had more than {{ $value }} of its warm pods in the last ${T.window}; its clients wait for cold starts. (Not where maxConnections leaves no room for them.)`,
    runbook:
      'kubectl get pods -l socketpod.dev/function=NAME,socketpod.dev/state=starting, and describe one: no room in the cluster, an image that cannot be pulled, a container that ends. If they start well, clients take them faster than they start: raise warmPods.',
  },
  {
    name: 'SocketpodOrphanPods',
    severity: 'warning',
    expr: `sum(increase(socketpod_orphan_pods_deleted_total[15m])) > 0`,
    for: '0s',
    when: 'pods of a dead proxy were deleted in the last 15m',
    summary: 'Pods without a living proxy were deleted.',
    description:
      'The controller deleted {{ $value | humanize }} pods in the last 15m whose proxy is gone: it crashed, or was killed in its drain, and their clients were cut off.',
    runbook:
      'Look at the restarts of the proxies (kubectl get pods -l app.kubernetes.io/component=proxy) and at the reason of the last one: OOMKilled (raise its memory), an evicted or lost node, a terminationGracePeriodSeconds shorter than the drain.',
  },
  {
    name: 'SocketpodNoLeader',
    severity: 'warning',
    expr: 'absent(socketpod_leader == 1)',
    for: '2m',
    when: 'no controller leads',
    summary: 'No controller leads.',
    description: 'Clients see nothing of it, but conditions are not written, hosts are not given out, and orphans are not deleted.',
    runbook:
      'Look at the controllers: kubectl get pods -l app.kubernetes.io/component=controller, their logs, and the Lease socketpod-controller in their namespace. If one says that it leads, Prometheus does not reach its admin port.',
  },
  {
    name: 'SocketpodControllerFailing',
    severity: 'warning',
    expr: [
      `(${FAILED}`,
      `  /`,
      `${recent('work', 'socketpod_reconciles_total')}) > ${T.failedWorkShare}`,
      `  and`,
      `${FAILED} >= ${T.leastEvents}`,
    ].join('\n'),
    for: '5m',
    when: `${percent(T.failedWorkShare)} of what the controller does of one kind fails`,
    summary: 'The controller fails at its work ({{ $labels.work }}).',
    description: `${SHARE} of its tries failed in the last ${T.window}. function: conditions and counts in the status; namespace: NetworkPolicies; trial: the check of a template.`,
    runbook: 'Its log has the answer of the API server. 403: its rights are not those of the chart. Else see SocketpodApiErrors.',
  },
  {
    name: 'SocketpodApiErrors',
    severity: 'warning',
    expr: [
      `sum(rate(socketpod_kube_requests_total{status_code=~"0|429|5.."}[${T.window}]))`,
      `  /`,
      `sum(rate(socketpod_kube_requests_total[${T.window}])) > ${T.apiErrorShare}`,
    ].join('\n'),
    for: '5m',
    when: `${percent(T.apiErrorShare)} of the calls to the API server end with 429, 5xx or no answer`,
    summary: 'The API server throttles or fails calls.',
    description: `${SHARE} of the calls to the API server were not answered, or with 429 or 5xx. New connections are slow to start, or are refused with 503 and code 500.`,
    runbook:
      'socketpod_kube_requests_total by verb, resource and status_code tells which. 429: API Priority and Fairness holds our accounts back; give them a priority level of their own. 5xx: etcd or a webhook (a slow one on pods delays each start). 0: no connection to the API server.',
  },
  {
    name: 'SocketpodPodDeletesPending',
    severity: 'warning',
    expr: `min_over_time(socketpod_pending_deletes[${T.window}]) > ${T.pendingDeletes}`,
    for: '0s',
    when: `all through ${T.window} over ${T.pendingDeletes} deletions of a proxy were not confirmed`,
    summary: '{{ or $labels.pod $labels.instance }} cannot delete pods fast enough.',
    description: `At least {{ $value }} of its pods are waiting for the API server to confirm their deletion, for ${T.window}. Each still takes room and a place under maxConnections.`,
    runbook:
      'See SocketpodApiErrors first. If calls are answered, look at pods that are Terminating for long: a node that is not ready, a finalizer, a function that ignores SIGTERM with a long terminationGracePeriodSeconds.',
  },
];
