// The conditions of a function (contract part 7): what is observed -> Accepted, Ready, WarmPodsReady. The table of
// docs/operations.md is made of this file's.
import type { Condition } from '../api/types.ts';
import { firstBytes } from './last-words.ts';

/** The types of conditions, in the order of the status. */
export const CONDITIONS = ['Accepted', 'Ready', 'WarmPodsReady'] as const;

/** A type of condition. */
export type ConditionType = (typeof CONDITIONS)[number];

interface Meaning {
  readonly status: 'True' | 'False';
  readonly meaning: string;
}

/** Why a function is accepted, or not. Where several hold, the first of these. */
export const ACCEPTED_REASONS = {
  InvalidSpec: { status: 'False', meaning: 'the stored object breaks a rule of this version, as one of an older definition may' },
  CeilingExceeded: { status: 'False', meaning: 'a field is over its ceiling (`--ceilings`); the message names field, value and ceiling' },
  HostNotAllowed: { status: 'False', meaning: 'the host rules (`--host-rules`) keep a host of its route from its namespace' },
  HostTaken: { status: 'False', meaning: 'a host of its route belongs to another namespace; the message names the owner' },
  PodRejected: { status: 'False', meaning: "the API server would not take its pods; the message is the API server's. Tried again" },
  Accepted: { status: 'True', meaning: 'nothing stands against it' },
} as const satisfies Record<string, Meaning>;

/** Why connections are taken, or not; besides these, the reason of Accepted where that is False. */
export const READY_REASONS = {
  SwitchedOff: { status: 'False', meaning: '`maxConnections` is 0' },
  NoProxy: { status: 'False', meaning: 'no proxy lives that is not draining' },
  Ready: { status: 'True', meaning: 'connections are taken' },
} as const satisfies Record<string, Meaning>;

/** Why warm pods are all there, or not; besides these, the reason for which the last one failed, as in ImagePullFailed. */
export const WARM_REASONS = {
  Starting: { status: 'False', meaning: 'some are still on their way; the message has the counts' },
  Ready: { status: 'True', meaning: 'all of them wait for connections, or were a moment ago' },
} as const satisfies Record<string, Meaning>;

/** A reason of the condition Accepted. */
export type AcceptedReason = keyof typeof ACCEPTED_REASONS;

/** Is the function accepted, and why (not)? */
export interface Verdict {
  readonly reason: AcceptedReason;
  readonly message: string;
  /** The generation that was judged. */
  readonly generation: number;
}

/** The warm pods of a function that wants some. */
export interface WarmPods {
  readonly wanted: number;
  readonly ready: number;
  /** For how long fewer than wanted have been ready; 0 when they are not fewer (ms). */
  readonly shortForMs: number;
  /** The last one that failed, while there are too few: `reason` as in ImagePullFailed. */
  readonly failure?: { readonly reason: string; readonly detail: string } | undefined;
}

/** What conditions are made of. */
export interface ConditionFacts {
  readonly verdict: Verdict;
  /** `maxConnections` is 0. */
  readonly switchedOff: boolean;
  /** A proxy lives that does not drain. */
  readonly hasProxy: boolean;
  /** Undefined when no warm pods are wanted: the condition is not there. */
  readonly warm: WarmPods | undefined;
}

/** Every connection takes a warm pod, and another is on its way: that alone is no news (ms). */
export const SHORT_MS = 10_000;
/** A message is no longer than that of an Event (bytes). */
const MESSAGE_BYTES = 1024;

interface Finding {
  readonly status: 'True' | 'False';
  readonly reason: string;
  readonly message: string;
}

/**
 * The conditions of a function.
 * @param before those of its status
 * @param now RFC 3339, in whole seconds; for those whose status changes
 */
export function conditionsOf(facts: ConditionFacts, before: readonly Condition[], now: string): Condition[] {
  const { verdict } = facts;
  const accepted: Finding = { ...verdict, status: ACCEPTED_REASONS[verdict.reason].status };
  const stated: [ConditionType, Finding | undefined][] = [
    ['Accepted', accepted],
    ['Ready', readyOf(facts, accepted)],
    ['WarmPodsReady', facts.warm && warmOf(facts.warm, accepted, before)],
  ];
  return stated.flatMap(([type, finding]) => {
    if (!finding) return [];
    const { status, reason } = finding;
    const old = conditionOf(before, type);
    const lastTransitionTime = old?.status === status ? old.lastTransitionTime : now;
    const message = firstBytes(finding.message, MESSAGE_BYTES);
    return [{ type, status, observedGeneration: verdict.generation, lastTransitionTime, reason, message }];
  });
}

/** The condition of a type. */
export function conditionOf(conditions: readonly Condition[] | undefined, type: ConditionType): Condition | undefined {
  return conditions?.find((one) => one.type === type);
}

function readyOf({ switchedOff, hasProxy }: ConditionFacts, accepted: Finding): Finding {
  if (accepted.status === 'False') return accepted;
  if (switchedOff) return { status: 'False', reason: 'SwitchedOff', message: 'maxConnections is 0; raise it to switch the function on' };
  if (!hasProxy) return { status: 'False', reason: 'NoProxy', message: 'no proxy takes connections; look at the pods of the proxy' };
  return { status: 'True', reason: 'Ready', message: 'connections are taken' };
}

function warmOf({ wanted, ready, shortForMs, failure }: WarmPods, accepted: Finding, before: readonly Condition[]): Finding {
  if (accepted.status === 'False') return { ...accepted, message: `no warm pods: ${accepted.message}` };
  const message = `${ready} of ${wanted} warm pods wait for a connection`;
  if (ready >= wanted) return { status: 'True', reason: 'Ready', message };
  if (failure) return { status: 'False', reason: failure.reason, message: `${message}; the last one that failed: ${failure.detail}` };
  const settling = conditionOf(before, 'WarmPodsReady')?.status === 'True' && shortForMs < SHORT_MS;
  return settling ? { status: 'True', reason: 'Ready', message } : { status: 'False', reason: 'Starting', message };
}

/** What an Event tells of a condition that has changed. */
export interface Change {
  readonly type: 'Normal' | 'Warning';
  readonly reason: string;
  readonly message: string;
}

/**
 * The changes of status or reason that are news for the author: refusals and faults as warnings, and what has come right. A new
 * function that is accepted is told as Ready, and one cause is told once. Of warm pods that fail the proxies tell.
 */
export function changesOf(before: readonly Condition[], after: readonly Condition[]): Change[] {
  const changes: Change[] = [];
  for (const { type, status, reason, message } of after) {
    const old = conditionOf(before, type as ConditionType);
    if (old?.status === status && old.reason === reason) continue;
    if (type === 'WarmPodsReady' || (type === 'Accepted' && status === 'True' && !old)) continue;
    if (changes.some((change) => change.reason === reason)) continue;
    changes.push({ type: status === 'True' || reason === 'SwitchedOff' ? 'Normal' : 'Warning', reason, message });
  }
  return changes;
}
