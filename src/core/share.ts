// Warm pods: how many of a function's are this replica's, and what is to be done about those that it has. A warm pod is replaced only
// when it is made of something else than the function asks for now, when it died, or when it was given away.
import { backoff } from './backoff.ts';
import type { Reason } from './outcome.ts';
import type { ServedFunction } from './served.ts';

/** A place that was given up for another replica's connection is not filled again for this long (ms). */
export const WANTED_MS = 10_000;
/** A warm pod that lives this long after it became ready works; one that dies sooner did not become ready (ms). */
export const STEADY_MS = 30_000;

/**
 * How many warm pods of a function a replica holds.
 * @param sharing the ids of all replicas that share; the rounding rest goes to the lowest
 */
export function shareOf({ spec, problem }: ServedFunction, sharing: readonly string[], own: string): number {
  const place = [...sharing].sort().indexOf(own);
  const all = problem === '' ? Math.min(spec.warmPods, spec.maxConnections) : 0;
  if (place < 0) return 0;
  return Math.floor(all / sharing.length) + (place < all % sharing.length ? 1 : 0);
}

/** A pod of the pool: it starts, or waits for a connection. */
export interface PooledPod {
  /** Hash of what it is made of. */
  readonly template: string;
  /** Its port is open. */
  readonly ready: boolean;
  /** Another replica asks for its place. */
  readonly wanted: boolean;
}

/** What is known of one function's warm pods on this replica. */
export interface WarmFacts<Pod extends PooledPod> {
  readonly share: number;
  /** Hash of what a pod is made of now. */
  readonly template: string;
  /** The oldest first. */
  readonly pods: readonly Pod[];
  /** Creates under way. */
  readonly creating: number;
  /** Not in the pool any more, but they may still look like warm pods to others: being deleted, or just handed out. */
  readonly leaving: number;
  /** Names that nobody holds and no connection waits for. */
  readonly free: number;
  /** Places that were given up for others a moment ago. */
  readonly heldBack: number;
  /** The last one did not become ready: one is tried at a time. */
  readonly failing: boolean;
  /** The next try is not due yet. */
  readonly blocked: boolean;
}

/** What is to be done now. */
export interface WarmPlan<Pod> {
  readonly create: number;
  readonly remove: readonly Pod[];
}

/** Never more than one pod over the share, those that are leaving included. */
export function planWarm<Pod extends PooledPod>(facts: WarmFacts<Pod>): WarmPlan<Pod> {
  const { share, template, pods, creating, leaving, free, heldBack, failing, blocked } = facts;
  const good = pods.filter((pod) => pod.template === template && !pod.wanted);
  // Of a surplus those go first that are the least of use: what starts, then what came last.
  const worth = [...good.filter(({ ready }) => ready), ...good.filter(({ ready }) => !ready)];
  const kept = worth.slice(0, share);
  const stays = new Set(kept);
  const remove = pods.filter((pod) => !stays.has(pod));
  const givenUp = pods.filter((pod) => pod.template === template && pod.wanted).length;
  const missing = share - heldBack - givenUp - kept.length - creating;
  const room = share + 1 - pods.length - creating - leaving;
  const starting = kept.filter(({ ready }) => !ready).length + creating;
  const most = blocked ? 0 : failing ? 1 - starting : Number.POSITIVE_INFINITY;
  return { create: share === 0 ? 0 : Math.max(0, Math.min(missing, room, free, most)), remove };
}

/** How warm pods of a function failed lately. */
export interface Failures {
  /** In a row, those that began together counted as one. */
  readonly count: number;
  /** The last one that began did not become ready. */
  readonly failing: boolean;
  /** It could not even be created. */
  readonly uncreated: boolean;
  /** None is created before (ms of a clock that only goes forward). */
  readonly blockedUntil: number;
}

/** None failed. */
export const NO_FAILURES: Failures = { count: 0, failing: false, uncreated: false, blockedUntil: 0 };

/** Why a create fails (core/pod-status.ts). */
const CREATE_FAILURES: readonly Reason[] = ['api_unavailable', 'quota_exceeded', 'pod_rejected'];

/** The longest wait after a failure for this reason (ms): what is not the function's fault may be over any moment. */
function longestMs(reason: Reason): number {
  if (reason === 'api_unavailable') return 10_000;
  return reason === 'quota_exceeded' ? 30_000 : 300_000;
}

/**
 * A warm pod did not become ready, or died soon after.
 * @param begunAt when its creation began
 * @param random a number from 0 to below 1
 */
export function afterFailure(before: Failures, reason: Reason, { begunAt, now, random }: Moment): Failures {
  if (begunAt < before.blockedUntil) return before; // it began beside one that failed: that one was counted
  const blockedUntil = now + backoff(before.count, random, 1000, longestMs(reason));
  return { count: before.count + 1, failing: true, uncreated: CREATE_FAILURES.includes(reason), blockedUntil };
}

/** When a failure showed. */
export interface Moment {
  readonly begunAt: number;
  readonly now: number;
  readonly random: number;
}

/** One was created: if that was what had failed, it is over. */
export function afterCreate(before: Failures): Failures {
  return before.uncreated ? NO_FAILURES : before;
}

/** One became ready: others may be created at once. The count stays until it has been steady, or has served. */
export function afterReady({ count }: Failures): Failures {
  return { ...NO_FAILURES, count };
}
