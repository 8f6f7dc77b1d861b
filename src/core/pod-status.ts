// What a pod's status says about its connection: a fixed order of decisions over the fields that the API server shows, measured
// for every cause that could be made. The first match wins; conditions and states are compared, events are never counted.
import type { V1ContainerStatus, V1Pod } from '@kubernetes/client-node';
import { reasonOfExit } from './exit.ts';
import { lastWords } from './last-words.ts';
import type { Reason } from './outcome.ts';

/** A pod on its way to an open port. */
export type PodReading =
  | { readonly state: 'starting' }
  /** The container runs; its port may still be closed, or it may have exited a moment ago. */
  | { readonly state: 'running'; readonly ip: string }
  /** The kubelet refused the pod (OutOfcpu, ...): another one may be made. */
  | { readonly state: 'refused'; readonly detail: string }
  | { readonly state: 'failed'; readonly reason: Reason; readonly detail: string; readonly lastWords: string };

const PULL_FAILURES = ['ErrImagePull', 'ImagePullBackOff', 'ErrImageNeverPull', 'InvalidImageName'];
const CREATE_FAILURES = ['CreateContainerConfigError', 'CreateContainerError', 'RunContainerError'];
const START_FAILURES = ['StartError', 'ContainerCannotRun'];

/** The status of the function's container: the first of the spec, whatever the order of the status. */
export function functionStatus(pod: V1Pod): V1ContainerStatus | undefined {
  const name = pod.spec?.containers[0]?.name;
  return pod.status?.containerStatuses?.find((status) => status.name === name);
}

/** Reads a pod whose port has not opened yet. */
export function readPod(pod: V1Pod): PodReading {
  const status = functionStatus(pod);
  const terminated = status?.state?.terminated;
  if (killedForMemory(pod)) return failed('memory_limit', 'killed for memory before its port opened', wordsOf(status));
  const others = endedByOthers(pod);
  if (others) return failed(others, others === 'pod_evicted' ? 'evicted while it started' : 'deleted while it started');
  if (terminated) {
    const { reason = '', exitCode, message = '' } = terminated;
    // A container that never ran has the beginning of time as its start.
    const neverRan = START_FAILURES.includes(reason) || new Date(terminated.startedAt ?? 0).getTime() <= 0;
    if (neverRan) return failed('container_start_failed', `${reason}: ${message}`);
    return failed('container_exited', `exit code ${exitCode} before its port opened`, wordsOf(status));
  }
  if (pod.status?.phase === 'Failed' && !pod.status.containerStatuses?.length) {
    return { state: 'refused', detail: `${pod.status.reason ?? 'Failed'}: ${pod.status.message ?? ''}` };
  }
  for (const one of [...(pod.status?.initContainerStatuses ?? []), ...(status ? [status] : [])]) {
    const { reason = '', message = '' } = one.state?.waiting ?? {};
    if (PULL_FAILURES.includes(reason)) return failed('image_pull_failed', `${reason}: ${message}`);
    if (CREATE_FAILURES.includes(reason)) return failed('container_start_failed', `${reason}: ${message}`);
    const ended = one === status ? undefined : one.state?.terminated;
    if (ended && START_FAILURES.includes(ended.reason ?? ''))
      return failed('container_start_failed', `init container ${one.name}: ${ended.message ?? ''}`);
    if (ended && ended.exitCode !== 0)
      return failed('container_exited', `init container ${one.name}: exit code ${ended.exitCode}`, wordsOf(one));
  }
  if (status?.state?.running && pod.status?.podIP) return { state: 'running', ip: pod.status.podIP };
  return { state: 'starting' };
}

function failed(reason: Reason, detail: string, lastWords = ''): PodReading {
  return { state: 'failed', reason, detail, lastWords };
}

/** The end of what a container wrote: the kubelet keeps it if the container failed (terminationMessagePolicy, core/pod.ts). */
function wordsOf(status: V1ContainerStatus | undefined): string {
  return lastWords(status?.state?.terminated?.message ?? '');
}

/** The addresses of the pod's node. */
export function hostAddresses({ status }: V1Pod): string[] {
  return [status?.hostIP ?? '', ...(status?.hostIPs ?? []).map(({ ip }) => ip)].filter((address) => address !== '');
}

/** Was the container itself killed for memory? With exit code 0 only a child of it was, and it went on (facts: row 12c). */
export function killedForMemory(pod: V1Pod): boolean {
  const terminated = functionStatus(pod)?.state?.terminated;
  return terminated?.reason === 'OOMKilled' && terminated.exitCode !== 0;
}

/** Is the pod being ended, and how? To be asked of states from before our own DELETE only. */
export function endedByOthers(pod: V1Pod): 'pod_evicted' | 'pod_deleted' | undefined {
  if (condition(pod, 'DisruptionTarget') === 'True') return 'pod_evicted';
  return pod.metadata?.deletionTimestamp ? 'pod_deleted' : undefined;
}

/** Did any container of the pod ever run? If none did, a DELETE with grace 0 is right, and the only one that is quick. */
export function everRan(pod: V1Pod): boolean {
  return [...(pod.status?.containerStatuses ?? []), ...(pod.status?.initContainerStatuses ?? [])].some(
    ({ state }) => state?.running || (state?.terminated && !START_FAILURES.includes(state.terminated.reason ?? '')),
  );
}

/** Why a pod is not open at the init timeout; undefined stands for a pod that the API server has not shown yet. */
export function reasonAtTimeout(pod: V1Pod | undefined): Reason {
  if (!pod) return 'pod_start_timeout';
  const status = functionStatus(pod);
  if (status?.state?.running) return 'port_timeout';
  if (condition(pod, 'PodScheduled') === 'False') return 'unschedulable';
  const creating = status?.state?.waiting?.reason === 'ContainerCreating';
  if (creating && condition(pod, 'PodReadyToStartContainers') === 'True') return 'image_pull_timeout';
  return 'pod_start_timeout';
}

/** Is no node found for the pod at this moment? It is not final: a pod that ends frees its room. */
export function isUnschedulable(pod: V1Pod): boolean {
  return condition(pod, 'PodScheduled') === 'False';
}

/** Has the scheduler found a node? */
export function isScheduled(pod: V1Pod): boolean {
  return condition(pod, 'PodScheduled') === 'True';
}

/**
 * Why the function's socket dropped, from what the pod shows after it (contract part 2): memory kill, eviction or deletion by
 * others, exit, plain drop.
 * @param byOthers what others had done by our own DELETE
 * @returns undefined while nothing certain shows
 */
export function causeOfDrop(pod: V1Pod, byOthers: 'pod_evicted' | 'pod_deleted' | undefined): Reason | undefined {
  if (killedForMemory(pod)) return 'memory_limit';
  const terminated = functionStatus(pod)?.state?.terminated;
  if (!terminated) return undefined;
  return byOthers ?? reasonOfExit(terminated.exitCode);
}

/** What the pod shows of the end of its function: in words for the operator, and the last words of the function itself. */
export function describeEnd(pod: V1Pod): { readonly detail: string; readonly lastWords: string } {
  const status = functionStatus(pod);
  const disrupted = pod.status?.conditions?.find(({ type, status }) => type === 'DisruptionTarget' && status === 'True');
  const exitCode = status?.state?.terminated?.exitCode;
  const words = [disrupted?.message ?? pod.status?.message ?? '', exitCode === undefined ? '' : `exit code ${exitCode}`];
  return { detail: words.filter((one) => one !== '').join('; '), lastWords: wordsOf(status) };
}

function condition(pod: V1Pod, type: string): string | undefined {
  return pod.status?.conditions?.find((one) => one.type === type)?.status;
}

/** The parts of a Status body that tell why a create was refused (Kubernetes API conventions). */
export interface CreateError {
  /** HTTP status; 0 when there was no answer. */
  readonly status: number;
  readonly message: string;
}

/** Why the API server did not create a pod. 409 is not an error here: the name is taken, and the next one is tried. */
export function reasonOfCreateError({ status, message }: CreateError): Reason {
  if (status === 403 && message.includes('exceeded quota')) return 'quota_exceeded';
  if (status === 403 || status === 404 || status === 422 || status === 400) return 'pod_rejected';
  return 'api_unavailable';
}
