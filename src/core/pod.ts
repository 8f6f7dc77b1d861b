// The pod of a connection, made from the function's template (contract part 7, "Pods"). What the author wrote wins, except for
// what the contract needs; where the author is silent the defaults are those of the restricted Pod Security Standard.
import type { V1Container, V1Pod, V1PodSpec } from '@kubernetes/client-node';
import {
  API_VERSION,
  ENV_FUNCTION,
  ENV_NAMESPACE,
  ENV_PORT,
  GROUP,
  KIND,
  LABEL_FUNCTION,
  LABEL_PROXY,
  LABEL_REQUEST_ID,
  LABEL_STATE,
  LABEL_TEMPLATE,
} from '../api/names.ts';
import type { CompleteSpec, Container } from '../api/types.ts';
import { keyOf, type ServedFunction } from './served.ts';
import { slotName } from './slots.ts';

/** Grace period where the template is silent, in seconds (contract part 2). */
const GRACE_SECONDS = 5;
/** Added to init and execution timeout: a pod that outlives all who should delete it ends by itself, in seconds. */
const DEADLINE_MARGIN = 60;
/** The user that function containers run as where the template is silent. */
const USER = 1000;

/** Asks the cluster's autoscaler to leave the node of an open connection alone. */
const SAFE_TO_EVICT = 'cluster-autoscaler.kubernetes.io/safe-to-evict';

/** Whom a pod is for. */
export interface PodPurpose {
  readonly slot: number;
  /** The 10-character id of the proxy process. */
  readonly proxyId: string;
  /** The connection's id; undefined: a warm pod, for a connection to come. */
  readonly requestId: string | undefined;
  /** The restricted defaults go under what the template says (--pod-defaults). */
  readonly defaults: boolean;
}

/** The pod to create. */
export function podFor(fn: ServedFunction, { slot, proxyId, requestId, defaults }: PodPurpose): V1Pod {
  const { template } = fn.spec;
  const { containers, initContainers, ...rest } = template.spec;
  const [first, ...others] = containers;
  const podUser = template.spec.securityContext?.runAsUser;
  const safe = (container: Container) => (defaults ? restricted(container, podUser !== undefined) : (container as V1Container));
  const podDefaults = { seccompProfile: { type: 'RuntimeDefault' }, runAsNonRoot: true };
  const spec: Record<string, unknown> = {
    automountServiceAccountToken: false,
    enableServiceLinks: false,
    terminationGracePeriodSeconds: GRACE_SECONDS,
    ...rest,
    ...(defaults ? { securityContext: { ...podDefaults, ...template.spec.securityContext } } : {}),
    restartPolicy: 'Never',
    activeDeadlineSeconds: requestId === undefined ? undefined : longestLife(fn), // it counts from the pod's start
    containers: [...(first ? [safe(functionContainer(fn, first))] : []), ...others.map(safe)],
    ...(initContainers ? { initContainers: initContainers.map(safe) } : {}),
  };
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      name: slotName(fn.name, slot),
      namespace: fn.namespace,
      labels: {
        ...template.metadata?.labels,
        [LABEL_FUNCTION]: fn.name,
        [LABEL_PROXY]: proxyId,
        [LABEL_STATE]: 'starting',
        [LABEL_TEMPLATE]: templateHash(fn),
        ...(requestId === undefined ? {} : { [LABEL_REQUEST_ID]: requestId }),
      },
      annotations: { ...(requestId === undefined ? {} : { [SAFE_TO_EVICT]: 'false' }), ...template.metadata?.annotations },
      ownerReferences: [{ apiVersion: API_VERSION, kind: KIND, name: fn.name, uid: fn.uid, controller: true, blockOwnerDeletion: false }],
    },
    spec: spec as unknown as V1PodSpec, // the API server judges what the author wrote in it
  };
}

/** A pod's life from the moment at which a connection has it, in seconds: whoever should delete it then has died. */
function longestLife({ spec }: ServedFunction): number {
  return spec.initTimeoutSeconds + spec.executionTimeoutSeconds + DEADLINE_MARGIN;
}

/** What a pod becomes when its connection opens, as a merge patch. */
export interface ConnectedPatch {
  readonly metadata: { readonly labels: Record<string, string>; readonly annotations?: Record<string, string> };
  readonly spec?: { readonly activeDeadlineSeconds: number };
}

/**
 * What a pod gets when its connection opens: its state, and all that a warm pod has not had from the beginning.
 * @param now the moment, in ms since 1970
 */
export function connectedPatch(fn: ServedFunction, pod: V1Pod, requestId: string, now: number): ConnectedPatch {
  const labels = { [LABEL_STATE]: 'connected', [LABEL_REQUEST_ID]: requestId };
  if (pod.spec?.activeDeadlineSeconds !== undefined) return { metadata: { labels } };
  const startedAt = new Date(pod.status?.startTime ?? now).getTime();
  const age = Math.max(0, Math.ceil((now - startedAt) / 1000)); // below 0: the node's clock is ahead
  const written = fn.spec.template.metadata?.annotations?.[SAFE_TO_EVICT] !== undefined;
  return {
    metadata: { labels, ...(written ? {} : { annotations: { [SAFE_TO_EVICT]: 'false' } }) },
    spec: { activeDeadlineSeconds: longestLife(fn) + age },
  };
}

/** Did a proxy make this pod? Nobody of us may touch any other pod (contract part 9). */
export function isFunctionPod({ metadata }: V1Pod): boolean {
  const { labels = {}, ownerReferences = [] } = metadata ?? {};
  const owned = ownerReferences.some(
    ({ apiVersion, kind, controller }) => controller && apiVersion.startsWith(`${GROUP}/`) && kind === KIND,
  );
  return owned && labels[LABEL_FUNCTION] !== undefined && labels[LABEL_PROXY] !== undefined;
}

/** All that a proxy asks of a pod that it did not make: whose it is, whether it goes, and its node's addresses. */
export function shownOf({ metadata, status }: V1Pod): V1Pod {
  const { namespace, name, uid, resourceVersion, labels, ownerReferences, deletionTimestamp } = metadata ?? {};
  const { hostIP, hostIPs } = status ?? {};
  return {
    metadata: { namespace, name, uid, resourceVersion, labels, ownerReferences, deletionTimestamp },
    status: { hostIP, hostIPs },
  } as V1Pod;
}

/** `namespace/name` of a pod's function. */
export function functionOf({ metadata }: V1Pod): string {
  return keyOf({ namespace: metadata?.namespace ?? '', name: metadata?.labels?.[LABEL_FUNCTION] ?? '' });
}

/** The port that a function's pod was made with, by its environment; undefined: it is none of ours. */
export function portOf(pod: V1Pod): number | undefined {
  if (!isFunctionPod(pod)) return undefined;
  // By name, as injected containers may come first; the last one, as authors may write a PORT of their own before it.
  const env = pod.spec?.containers.find((container) => container.env?.some(({ name }) => name === ENV_FUNCTION))?.env;
  const port = Number(env?.findLast(({ name }) => name === ENV_PORT)?.value);
  return Number.isInteger(port) ? port : undefined;
}

/** The first container, with what every function is promised: its environment and its last words in the pod's status. */
function functionContainer(fn: ServedFunction, container: Container): Container {
  const env = [
    ...(container.env ?? []),
    { name: ENV_PORT, value: String(fn.spec.port) },
    { name: ENV_FUNCTION, value: fn.name },
    { name: ENV_NAMESPACE, value: fn.namespace },
  ];
  return { terminationMessagePolicy: 'FallbackToLogsOnError', ...container, env };
}

/** A container with the restricted defaults under what its author wrote. */
function restricted(container: Container, podHasUser: boolean): V1Container {
  const securityContext = {
    allowPrivilegeEscalation: false,
    capabilities: { drop: ['ALL'] },
    ...(podHasUser ? {} : { runAsUser: USER }),
    ...container.securityContext,
  };
  return { ...container, securityContext } as V1Container;
}

/** Is this a warm pod that no connection has got yet? */
export function isWarmPod({ metadata }: V1Pod): boolean {
  return metadata?.labels?.[LABEL_REQUEST_ID] === undefined;
}

/** By spec, of which each generation has one: a large template takes a millisecond or two, and every pod asks. */
const hashes = new WeakMap<CompleteSpec, string>();

/** Hash of what a pod is made of: template and port. 16 hexadecimal digits, stable between processes (FNV-1a, 64 bit). */
export function templateHash(fn: ServedFunction): string {
  const known = hashes.get(fn.spec);
  if (known !== undefined) return known;
  const hash = hashOf(fn);
  hashes.set(fn.spec, hash);
  return hash;
}

function hashOf(fn: ServedFunction): string {
  const text = JSON.stringify([fn.spec.port, fn.spec.template]);
  let hash = 0xcbf29ce484222325n;
  for (let i = 0; i < text.length; i++) {
    hash = BigInt.asUintN(64, (hash ^ BigInt(text.charCodeAt(i))) * 0x100000001b3n);
  }
  return hash.toString(16).padStart(16, '0');
}
