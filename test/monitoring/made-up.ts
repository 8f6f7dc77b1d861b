// Series that are made up for the cases of the alerts.
import type { Played } from '../support/rule-test.ts';

/** An alert at a moment; `fires` absent: it does not. */
export interface AlertCase {
  readonly alert: string;
  readonly why: string;
  readonly series: Played;
  readonly at: string;
  readonly fires?: readonly {
    readonly labels?: Readonly<Record<string, string>>;
    readonly summary: string;
    readonly description: string;
  }[];
}

/** The function that all is about. */
export const FN = 'function_namespace="ns",function="fn"';
/** Its labels on an alert. */
export const WHO = { function_namespace: 'ns', function: 'fn' };
/** Ends of its connections; values in promtool's notation. */
export const ends = (code: number, reason: string, values: string, who = FN): Played => ({
  [`socketpod_connections_total{${who},code="${code}",reason="${reason}",instance="a"}`]: values,
});
/** A proxy. */
export const draining = (values: string, instance = 'a'): Played => ({ [`socketpod_draining{instance="${instance}"}`]: values });
/** `fast` and `slow` starts per 30 s: below one second and above ten. */
export const starts = (start: string, fast: number, slow: number): Played => {
  const bucket = (le: string, perStep: number): Played => ({
    [`socketpod_handshake_duration_seconds_bucket{${FN},start="${start}",le="${le}"}`]: `0+${perStep}x60`,
  });
  return {
    ...bucket('0.5', fast),
    ...bucket('1', fast),
    ...bucket('10', fast),
    ...bucket('30', fast + slow),
    ...bucket('+Inf', fast + slow),
    [`socketpod_handshake_duration_seconds_count{${FN},start="${start}"}`]: `0+${fast + slow}x60`,
  };
};
/** Connections on two proxies, and what the controller tells. */
export const inFlight = (open: number, pending: number, max: number): Played => ({
  [`socketpod_open_connections{${FN},instance="a"}`]: `${open}x60`,
  [`socketpod_open_connections{${FN},instance="b"}`]: `${open}x60`,
  [`socketpod_pending_connections{${FN},instance="a"}`]: `${pending}x60`,
  [`socketpod_function_max_connections{${FN},instance="c"}`]: `${max}x60`,
});
/** Its warm pods, and how many there should be. */
export const warm = (has: string, desired: number): Played => ({
  [`socketpod_pods{${FN},state="warm",instance="a"}`]: has,
  [`socketpod_pods{${FN},state="connected",instance="a"}`]: '50x60',
  [`socketpod_function_warm_pods_desired{${FN},instance="c"}`]: `${desired}x60`,
});
/** What the controller tells of it. */
export const ready = (values: string, max: number): Played => ({
  [`socketpod_function_ready{${FN},instance="c"}`]: values,
  [`socketpod_function_max_connections{${FN},instance="c"}`]: `${max}x60`,
});
/** Calls to the API server per 30 s. */
export const calls = (status: number, perStep: number): Played => ({
  [`socketpod_kube_requests_total{verb="create",resource="pods",status_code="${status}",instance="a"}`]: `0+${perStep}x60`,
});

/** What the controller does with functions per 30 s. */
export const work = (result: 'done' | 'failed', perStep: number): Played => ({
  [`socketpod_reconciles_total{work="function",result="${result}",instance="c"}`]: `0+${perStep}x60`,
});

/** An installation in which all is well. */
export const HEALTHY: Played = {
  ...draining('0x60'),
  ...ends(200, 'normal_closure', '0+20x60'),
  ...ends(456, 'client_dropped', '0+5x60'),
  ...ends(439, 'function_exited', '0+1x60'),
  ...ends(500, 'internal_error', '0x60'),
  ...starts('cold', 5, 0),
  ...starts('warm', 20, 0),
  ...inFlight(10, 1, 100),
  ...warm('4x60', 4),
  ...ready('1x60', 100),
  ...calls(201, 40),
  ...work('done', 10),
  ...work('failed', 1),
  'socketpod_leader{instance="c"}': '1x60',
  'socketpod_leader{instance="d"}': '0x60',
  'socketpod_watch_last_event_timestamp_seconds{instance="a",resource="pods"}': '0+30x60',
  'socketpod_pending_deletes{instance="a"}': '0 3 1 0x57',
  'socketpod_orphan_pods_deleted_total{instance="c"}': '0x60',
};
