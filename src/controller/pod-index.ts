// The pods of each function, and what the last warm one that failed showed: what a status counts and tells.
import type { V1Pod } from '@kubernetes/client-node';
import { LABEL_FUNCTION, LABEL_TEMPLATE } from '../api/names.ts';
import { eventReason } from '../core/event.ts';
import { isFunctionPod, isWarmPod } from '../core/pod.ts';
import { isUnschedulable, readPod } from '../core/pod-status.ts';

/** What a warm pod showed. */
export interface WarmFailure {
  /** As in ImagePullFailed. */
  readonly reason: string;
  readonly detail: string;
  /** Hash of what the pod was made of. */
  readonly template: string;
}

/** Fed by a watch. */
export class PodIndex {
  readonly #byFunction = new Map<string, Map<string, V1Pod>>();
  readonly #failures = new Map<string, WarmFailure>();

  /** A pod is there or has changed. @returns the key of its function */
  seen(pod: V1Pod): string {
    const key = functionOf(pod);
    const pods = this.#byFunction.get(key) ?? new Map<string, V1Pod>();
    this.#byFunction.set(key, pods.set(pod.metadata?.name ?? '', pod));
    const failure = isFunctionPod(pod) && isWarmPod(pod) && !pod.metadata?.deletionTimestamp ? failureOf(pod) : undefined;
    if (failure) this.#failures.set(key, { ...failure, template: pod.metadata?.labels?.[LABEL_TEMPLATE] ?? '' });
    return key;
  }

  /** A pod is gone. @returns the key of its function */
  gone(pod: V1Pod): string {
    const key = functionOf(pod);
    const pods = this.#byFunction.get(key);
    pods?.delete(pod.metadata?.name ?? '');
    if (pods?.size === 0) this.#byFunction.delete(key);
    return key;
  }

  /** The pods of a function. */
  of(key: string): Iterable<V1Pod> {
    return this.#byFunction.get(key)?.values() ?? [];
  }

  /** Why the last warm pod of this template failed; undefined: none did since all were there. */
  failure(key: string, template: string): WarmFailure | undefined {
    const failure = this.#failures.get(key);
    return failure?.template === template ? failure : undefined;
  }

  /** All warm pods are there, or the function is gone: old failures are no news. */
  forgetFailure(key: string): void {
    this.#failures.delete(key);
  }
}

function functionOf({ metadata }: V1Pod): string {
  return `${metadata?.namespace ?? ''}/${metadata?.labels?.[LABEL_FUNCTION] ?? ''}`;
}

function failureOf(pod: V1Pod): Omit<WarmFailure, 'template'> | undefined {
  const reading = readPod(pod);
  if (reading.state === 'failed') return { reason: eventReason(reading.reason), detail: reading.detail };
  if (reading.state === 'refused') return { reason: 'PodRefused', detail: reading.detail };
  if (!isUnschedulable(pod)) return undefined;
  return { reason: 'Unschedulable', detail: pod.status?.conditions?.find(({ type }) => type === 'PodScheduled')?.message ?? '' };
}
