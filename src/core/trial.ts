// The trial pod of a function (contract part 7): the pod of a connection, created as a dry run, so that what the API server has
// against it shows before the first client. What its answer says, and of what a status can be trusted after a restart.
import type { V1Pod } from '@kubernetes/client-node';
import type { WebSocketFunctionStatus } from '../api/types.ts';
import { conditionOf } from './conditions.ts';
import { podFor } from './pod.ts';
import { type CreateError, reasonOfCreateError } from './pod-status.ts';
import type { ServedFunction } from './served.ts';

/** Of no proxy, and of no connection. */
const NOBODY = '0000000000';

/** What is known of a function's pods: undefined stands for nothing. */
export type Tried = { readonly passed: true } | { readonly passed: false; readonly message: string };

/** The pod to try. @param defaults the restricted defaults go under what the template says (--pod-defaults) */
export function trialPod(fn: ServedFunction, defaults: boolean): V1Pod {
  const pod = podFor(fn, { slot: 0, proxyId: NOBODY, requestId: NOBODY, defaults });
  return { ...pod, metadata: { ...pod.metadata, name: `${fn.name}-trial` } };
}

/** What an answer says; undefined: nothing about the pod. @param error undefined: the API server would create it */
export function triedBy(error: CreateError | undefined): Tried | undefined {
  if (!error) return { passed: true };
  const reason = reasonOfCreateError(error);
  // Quotas are counted last, when nothing else was found wrong; and they pass.
  if (reason === 'quota_exceeded') return { passed: true };
  if (reason !== 'pod_rejected' || saysNothing(error)) return undefined;
  return { passed: false, message: error.message };
}

/** A right that the controller lacks, a namespace that is going away, and a webhook that takes no dry run are no fault of the pod. */
const NO_FAULT_OF_THE_POD: readonly RegExp[] = [
  /: User "[^"]*" cannot create resource "pods"/,
  / is being terminated/,
  / does not support dry run/,
];

function saysNothing({ message }: CreateError): boolean {
  return NO_FAULT_OF_THE_POD.some((words) => words.test(message));
}

/** What a status tells of the trial of this generation: after a restart not all functions are tried again. */
export function triedBefore(fn: ServedFunction, status: WebSocketFunctionStatus | undefined): Tried | undefined {
  const accepted = conditionOf(status?.conditions, 'Accepted');
  if (!accepted || accepted.observedGeneration !== fn.generation) return undefined;
  if (accepted.status === 'True') return { passed: true };
  return accepted.reason === 'PodRejected' ? { passed: false, message: accepted.message } : undefined;
}
