// The status of a function, whole: counts, hosts, address, conditions; and whether there is anything to write.
import type { V1Pod } from '@kubernetes/client-node';
import { LABEL_FUNCTION, LABEL_STATE } from '../api/names.ts';
import type { Condition, WebSocketFunctionStatus } from '../api/types.ts';
import { isFunctionPod } from './pod.ts';
import { readPod } from './pod-status.ts';
import type { ServedFunction } from './served.ts';
import { urlsOf } from './url.ts';

/** The pods of one function. */
export interface PodCounts {
  /** With an open connection. */
  readonly open: number;
  readonly starting: number;
  /** Kept for connections to come. */
  readonly warm: number;
  /** Of the warm ones, those whose container runs. */
  readonly warmReady: number;
}

/** Counts pods by what their proxies have labelled them; those that are being deleted, or that no proxy made, do not count. */
export function countPods(pods: Iterable<V1Pod>): PodCounts {
  const counts = { open: 0, starting: 0, warm: 0, warmReady: 0 };
  for (const pod of pods) {
    if (pod.metadata?.deletionTimestamp || !isFunctionPod(pod)) continue;
    const state = pod.metadata?.labels?.[LABEL_STATE];
    if (state === 'connected') counts.open++;
    if (state === 'starting') counts.starting++;
    if (state === 'warm') counts.warm++;
    if (state === 'warm' && readPod(pod).state === 'running') counts.warmReady++;
  }
  return counts;
}

/** What a status is made of. */
export interface StatusFacts {
  readonly fn: ServedFunction;
  /** The hosts that it holds. */
  readonly hosts: readonly string[];
  readonly counts: PodCounts;
  readonly conditions: readonly Condition[];
  /** Base of the addresses of clients, as in `wss://functions.example.com`; undefined: the operator has not said. */
  readonly publicUrl: string | undefined;
}

/** The status to write: every field of it, so that none keeps what somebody else has written. */
export function statusOf({ fn, hosts, counts, conditions, publicUrl }: StatusFacts): WebSocketFunctionStatus {
  const generation = conditions[0]?.observedGeneration;
  return {
    ...(generation === undefined ? {} : { observedGeneration: generation }),
    url: addressOf(fn, hosts, publicUrl),
    hosts: [...hosts],
    openConnections: counts.open,
    startingPods: counts.starting,
    warmPods: counts.warm,
    selector: `${LABEL_FUNCTION}=${fn.name},${LABEL_STATE}=warm`,
    conditions: [...conditions],
  };
}

/** The address for a client: on the first host that is its own, an exact one before a wildcard. Empty when none is known. */
function addressOf(fn: ServedFunction, hosts: readonly string[], publicUrl: string | undefined): string {
  const { route } = fn.spec;
  if (!route) return publicUrl === undefined ? '' : (urlsOf(fn, publicUrl)[0] ?? '');
  const host = hosts.find((one) => !one.startsWith('*.')) ?? hosts[0];
  if (host === undefined) return '';
  return urlsOf({ ...fn, spec: { ...fn.spec, route: { ...route, hosts: [host] } } }, publicUrl ?? 'wss://')[0] ?? '';
}

/** How two statuses differ: not at all, in counts and words alone (which may wait), or in what people and programs act on. */
export function differenceOf(before: WebSocketFunctionStatus | undefined, after: WebSocketFunctionStatus): 'none' | 'counts' | 'state' {
  if (!before || stateOf(before) !== stateOf(after)) return 'state';
  return wordsOf(before) === wordsOf(after) ? 'none' : 'counts';
}

function stateOf({ observedGeneration, url = '', hosts = [], selector, conditions = [] }: WebSocketFunctionStatus): string {
  const states = conditions.map(({ type, status, reason, observedGeneration }) => [type, status, reason, observedGeneration]);
  return JSON.stringify([observedGeneration, url, hosts, selector, states.sort()]);
}

function wordsOf({ openConnections, startingPods, warmPods, conditions = [] }: WebSocketFunctionStatus): string {
  const words = conditions.map(({ type, message, lastTransitionTime }) => [type, message, lastTransitionTime]);
  return JSON.stringify([openConnections, startingPods, warmPods, words.sort()]);
}
