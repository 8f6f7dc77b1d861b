// The decision order over a pod's status: each row of the measured table as the API server shows it.
import type { V1ContainerState, V1Pod } from '@kubernetes/client-node';
import { describe, expect, it } from 'vitest';
import {
  causeOfDrop,
  describeEnd,
  endedByOthers,
  everRan,
  killedForMemory,
  readPod,
  reasonAtTimeout,
  reasonOfCreateError,
} from '../../src/core/pod-status.ts';

interface Shown {
  state?: object;
  init?: object;
  phase?: string;
  reason?: string;
  message?: string;
  conditions?: Record<string, string>;
  ip?: string;
  deleted?: boolean;
}

/** A pod with this status. */
function pod({ state, init, phase = 'Pending', reason, message, conditions = {}, ip, deleted }: Shown): V1Pod {
  const statusOf = (name: string, one: object) => ({
    name,
    state: one as V1ContainerState,
    image: '',
    imageID: '',
    ready: false,
    restartCount: 0,
  });
  return {
    metadata: { name: 'echo-slot-0', ...(deleted ? { deletionTimestamp: new Date(1e12) } : {}) },
    spec: { containers: [{ name: 'function' }, { name: 'side' }] },
    status: {
      phase,
      ...(reason ? { reason } : {}),
      ...(message ? { message } : {}),
      ...(ip ? { podIP: ip } : {}),
      conditions: Object.entries(conditions).map(([type, status]) => ({ type, status, message: `words of ${type}` })),
      ...(state ? { containerStatuses: [statusOf('side', { running: {} }), statusOf('function', state)] } : {}),
      ...(init ? { initContainerStatuses: [statusOf('init', init)] } : {}),
    },
  };
}

const waiting = (reason: string) => ({ waiting: { reason, message: 'words' } });
const terminated = (exitCode: number, reason = 'Error', startedAt = '2026-01-01T00:00:00Z') => ({
  terminated: { exitCode, reason, startedAt },
});

describe('readPod', () => {
  it.each<[string, Shown, string]>([
    ['1 running with an address', { state: { running: {} }, ip: '10.0.0.1' }, 'running'],
    ['running without an address', { state: { running: {} } }, 'starting'],
    ['an address without a running container', { state: waiting('ContainerCreating'), ip: '10.0.0.1' }, 'starting'],
    ['nothing yet', {}, 'starting'],
    ['2', { state: waiting('ErrImageNeverPull') }, 'image_pull_failed'],
    ['3', { state: waiting('ErrImagePull') }, 'image_pull_failed'],
    ['3, later', { state: waiting('ImagePullBackOff') }, 'image_pull_failed'],
    ['4', { state: waiting('ContainerCreating'), conditions: { PodReadyToStartContainers: 'True' } }, 'starting'],
    ['5', { state: waiting('InvalidImageName') }, 'image_pull_failed'],
    ['6a', { state: terminated(128, 'StartError', '1970-01-01T00:00:00Z') }, 'container_start_failed'],
    ['6a by its time alone', { state: terminated(128, 'Whatever', '1970-01-01T00:00:00Z') }, 'container_start_failed'],
    ['7', { state: terminated(1) }, 'container_exited'],
    ['8', { state: terminated(0, 'Completed') }, 'container_exited'],
    ['12b', { state: terminated(137, 'OOMKilled') }, 'memory_limit'],
    ['12c', { state: terminated(0, 'OOMKilled') }, 'container_exited'],
    ['13', { conditions: { PodScheduled: 'False' } }, 'starting'],
    ['13b', { phase: 'Failed', reason: 'OutOfcpu' }, 'refused'],
    ['14', { state: { running: {} }, ip: '10.0.0.1', deleted: true }, 'pod_deleted'],
    ['15', { state: { running: {} }, ip: '10.0.0.1', deleted: true, conditions: { DisruptionTarget: 'True' } }, 'pod_evicted'],
    ['16', { state: terminated(137), phase: 'Failed' }, 'container_exited'],
    ['17a', { state: waiting('CreateContainerConfigError') }, 'container_start_failed'],
    ['17c', { state: waiting('CreateContainerError') }, 'container_start_failed'],
    ['memory goes before deletion', { state: terminated(137, 'OOMKilled'), deleted: true }, 'memory_limit'],
    ['deletion goes before exit', { state: terminated(1), deleted: true }, 'pod_deleted'],
    ['an init container whose image fails', { init: waiting('ErrImagePull'), state: waiting('PodInitializing') }, 'image_pull_failed'],
    ['an init container that fails', { init: terminated(2), state: waiting('PodInitializing') }, 'container_exited'],
    ['an init container that is done', { init: terminated(0), state: { running: {} }, ip: '10.0.0.1' }, 'running'],
  ])('row %s', (_row, shown, expected) => {
    const reading = readPod(pod(shown));
    expect(reading.state === 'failed' ? reading.reason : reading.state).toBe(expected);
  });
});

describe('at the init timeout', () => {
  it.each<[string, Shown | undefined, string]>([
    ['no pod was shown', undefined, 'pod_start_timeout'],
    [
      '4 the pull goes on',
      { state: waiting('ContainerCreating'), conditions: { PodScheduled: 'True', PodReadyToStartContainers: 'True' } },
      'image_pull_timeout',
    ],
    ['9 the container runs', { state: { running: {} }, conditions: { PodScheduled: 'True' } }, 'port_timeout'],
    [
      '12e the sandbox fails',
      { state: waiting('ContainerCreating'), conditions: { PodScheduled: 'True', PodReadyToStartContainers: 'False' } },
      'pod_start_timeout',
    ],
    ['13 no node', { conditions: { PodScheduled: 'False' } }, 'unschedulable'],
    ['21b the kubelet is silent', { conditions: { PodScheduled: 'True' } }, 'pod_start_timeout'],
    [
      'init containers go on',
      { init: { running: {} }, state: waiting('PodInitializing'), conditions: { PodScheduled: 'True' } },
      'pod_start_timeout',
    ],
  ])('%s', (_name, shown, reason) => expect(reasonAtTimeout(shown && pod(shown))).toBe(reason));
});

describe('a drop', () => {
  it.each<[string, Shown, 'pod_evicted' | 'pod_deleted' | undefined, string | undefined]>([
    ['nothing shows yet', { state: { running: {} } }, undefined, undefined],
    ['an exit', { state: terminated(7) }, undefined, 'function_exited'],
    ['kill -9', { state: terminated(137) }, undefined, 'function_exited'],
    ['exit 0, maybe by our SIGTERM', { state: terminated(0, 'Completed') }, undefined, 'function_dropped'],
    ['exit 143, maybe by our SIGTERM', { state: terminated(143) }, undefined, 'function_dropped'],
    ['a memory kill', { state: terminated(137, 'OOMKilled') }, 'pod_deleted', 'memory_limit'],
    ['a deletion by others before the exit', { state: terminated(7) }, 'pod_deleted', 'pod_deleted'],
    ['an eviction before the exit', { state: terminated(143) }, 'pod_evicted', 'pod_evicted'],
  ])('%s', (_name, shown, byOthers, reason) => expect(causeOfDrop(pod(shown), byOthers)).toBe(reason));

  it('tells deletion from eviction, and a memory kill of the function from one of its child', () => {
    expect(endedByOthers(pod({}))).toBeUndefined();
    expect(killedForMemory(pod({ state: terminated(0, 'OOMKilled') }))).toBe(false);
  });
});

describe('the words of an end', () => {
  const said = (exitCode: number, message: string, reason = 'Error') => ({
    terminated: { exitCode, reason, message, startedAt: '2026-01-01T00:00:00Z' },
  });

  it.each<[string, Shown, string, string]>([
    ['7 an exit', { state: said(7, 'Error: x\n    at y\n') }, 'exit code 7 before its port opened', 'Error: x\n    at y'],
    ['7 a silent exit', { state: terminated(7) }, 'exit code 7 before its port opened', ''],
    ['12b a memory kill', { state: said(137, 'more', 'OOMKilled') }, 'killed for memory before its port opened', 'more'],
    [
      '6a what never ran',
      { state: { terminated: { exitCode: 128, reason: 'StartError', message: 'no file' } } },
      'StartError: no file',
      '',
    ],
    [
      'an init container',
      { init: said(2, 'no volume\n'), state: waiting('PodInitializing') },
      'init container init: exit code 2',
      'no volume',
    ],
    ['3 an image', { state: waiting('ErrImagePull') }, 'ErrImagePull: words', ''],
  ])('before the port opened: %s', (_row, shown, detail, lastWords) => {
    expect(readPod(pod(shown))).toMatchObject({ state: 'failed', detail, lastWords });
  });

  it.each<[string, Shown, string, string]>([
    ['nothing', { state: { running: {} } }, '', ''],
    ['an exit', { state: said(7, `${'x'.repeat(2000)}\nbye\n`) }, 'exit code 7', `${'x'.repeat(1020)}\nbye`],
    ['a silent exit', { state: terminated(0, 'Completed') }, 'exit code 0', ''],
    ['an eviction', { state: terminated(143), conditions: { DisruptionTarget: 'True' } }, 'words of DisruptionTarget; exit code 143', ''],
    ['no eviction', { state: terminated(143), conditions: { DisruptionTarget: 'False' } }, 'exit code 143', ''],
    ['the deadline', { state: terminated(143), message: 'deadline' }, 'deadline; exit code 143', ''],
  ])('after a drop: %s', (_name, shown, detail, lastWords) => expect(describeEnd(pod(shown))).toEqual({ detail, lastWords }));
});

describe('everRan', () => {
  it.each<[Shown, boolean]>([
    [{}, false],
    [{ state: waiting('ErrImagePull') }, true], // the other container of this pod runs
    [{ init: { running: {} } }, true],
    [{ init: terminated(1) }, true],
    [{ init: terminated(128, 'StartError') }, false],
  ])('%j: %s', (shown, ran) => expect(everRan(pod(shown))).toBe(ran));
});

describe('a create that is answered with an error', () => {
  it.each([
    [403, 'pods "x" is forbidden: exceeded quota: q, requested: pods=1, used: pods=1, limited: pods=1', 'quota_exceeded'],
    [403, 'pods "x" is forbidden: failed quota: q: must specify limits.memory for: f', 'pod_rejected'],
    [403, 'violates PodSecurity "restricted:latest"', 'pod_rejected'],
    [404, 'namespaces "x" not found', 'pod_rejected'],
    [422, 'Pod "x" is invalid', 'pod_rejected'],
    [429, 'too many requests', 'api_unavailable'],
    [500, 'failed calling webhook', 'api_unavailable'],
    [504, 'Timeout', 'api_unavailable'],
    [0, 'connect ECONNREFUSED', 'api_unavailable'],
  ])('%d %s is %s', (status, message, reason) => expect(reasonOfCreateError({ status, message })).toBe(reason));
});
