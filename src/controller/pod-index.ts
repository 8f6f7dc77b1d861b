// The pods of each function, and what the last warm one that failed showed: what a status counts and tells. The ports of the pods of
// each namespace: what its policy must let in for as long as they run.
import type { V1Pod } from '@kubernetes/client-node';
import { LABEL_TEMPLATE } from '../api/names.ts';
import { eventReason } from '../core/event.ts';
import { functionOf, isFunctionPod, isWarmPod, portOf } from '../core/pod.ts';
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
  /** How many pods there are of each port, by namespace. */
  readonly #ports = new Map<string, Map<number, number>>();
  readonly #portsChanged: (namespace: string) => void;

  /** @param portsChanged what `ports` tells of a namespace has changed */
  constructor(portsChanged: (namespace: string) => void = () => {}) {
    this.#portsChanged = portsChanged;
  }

  /** A pod is there or has changed. @returns the key of its function */
  seen(pod: V1Pod): string {
    const key = functionOf(pod);
    const pods = this.#byFunction.get(key) ?? new Map<string, V1Pod>();
    const before = pods.get(pod.metadata?.name ?? '');
    this.#byFunction.set(key, pods.set(pod.metadata?.name ?? '', pod));
    this.#count(before, pod);
    const failure = isFunctionPod(pod) && isWarmPod(pod) && !pod.metadata?.deletionTimestamp ? failureOf(pod) : undefined;
    if (failure) this.#failures.set(key, { ...failure, template: pod.metadata?.labels?.[LABEL_TEMPLATE] ?? '' });
    return key;
  }

  /** A pod is gone. @returns the key of its function */
  gone(pod: V1Pod): string {
    const key = functionOf(pod);
    const pods = this.#byFunction.get(key);
    const before = pods?.get(pod.metadata?.name ?? '');
    pods?.delete(pod.metadata?.name ?? '');
    this.#count(before, undefined);
    if (pods?.size === 0) this.#byFunction.delete(key);
    return key;
  }

  /** The pods of a function. */
  of(key: string): Iterable<V1Pod> {
    return this.#byFunction.get(key)?.values() ?? [];
  }

  /** The ports of the function pods of a namespace, those that are ending too. */
  ports(namespace: string): Iterable<number> {
    return this.#ports.get(namespace)?.keys() ?? [];
  }

  /** The namespaces that have function pods. */
  namespaces(): Iterable<string> {
    return this.#ports.keys();
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

  /** One pod takes the place of another, in a namespace. */
  #count(before: V1Pod | undefined, after: V1Pod | undefined): void {
    const [from, to] = [before && portOf(before), after && portOf(after)];
    if (from === to) return;
    const namespace = (after ?? before)?.metadata?.namespace ?? '';
    const counts = this.#ports.get(namespace) ?? new Map<number, number>();
    const known = counts.size;
    if (to !== undefined) counts.set(to, (counts.get(to) ?? 0) + 1);
    const changed = counts.size !== known;
    const left = from === undefined ? 1 : (counts.get(from) ?? 0) - 1;
    if (from !== undefined && left > 0) counts.set(from, left);
    if (from !== undefined && left <= 0) counts.delete(from);
    if (counts.size > 0) this.#ports.set(namespace, counts);
    else this.#ports.delete(namespace);
    if (changed || left <= 0) this.#portsChanged(namespace);
  }
}

function failureOf(pod: V1Pod): Omit<WarmFailure, 'template'> | undefined {
  const reading = readPod(pod);
  if (reading.state === 'failed') return { reason: eventReason(reading.reason), detail: reading.detail };
  if (reading.state === 'refused') return { reason: 'PodRefused', detail: reading.detail };
  if (!isUnschedulable(pod)) return undefined;
  return { reason: 'Unschedulable', detail: pod.status?.conditions?.find(({ type }) => type === 'PodScheduled')?.message ?? '' };
}
