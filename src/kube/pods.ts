// The four calls on pods.
import type { V1Pod } from '@kubernetes/client-node';
import { type CallOptions, type KubeClient, KubeError } from './client.ts';

function path(namespace: string, name?: string): string {
  return `/api/v1/namespaces/${namespace}/pods${name === undefined ? '' : `/${name}`}`;
}

/** Creates a pod. Throws a KubeError; 409 when the name is taken. */
export function createPod(client: KubeClient, pod: V1Pod): Promise<V1Pod> {
  return client.call<V1Pod>('POST', path(pod.metadata?.namespace ?? ''), { body: pod });
}

/** Asks whether this pod could be created, to the last field. Nothing is made. Throws a KubeError where it could not. */
export async function tryPod(client: KubeClient, pod: V1Pod): Promise<void> {
  const query = { dryRun: 'All', fieldValidation: 'Strict' };
  await client.call('POST', path(pod.metadata?.namespace ?? ''), { body: pod, query });
}

/** Reads a pod; undefined when there is none of this name. */
export async function getPod(client: KubeClient, namespace: string, name: string): Promise<V1Pod | undefined> {
  try {
    return await client.call<V1Pod>('GET', path(namespace, name));
  } catch (error) {
    if (error instanceof KubeError && error.status === 404) return undefined;
    throw error;
  }
}

/** Merges a patch into this very pod (by uid). Throws a KubeError, as when another pod has the name by now. */
export function patchPod(client: KubeClient, pod: V1Pod, patch: { readonly metadata?: object }): Promise<V1Pod> {
  const body = { ...patch, metadata: { ...patch.metadata, uid: pod.metadata?.uid } };
  return client.call<V1Pod>('PATCH', path(pod.metadata?.namespace ?? '', pod.metadata?.name), {
    body,
    type: 'application/merge-patch+json',
  });
}

/**
 * Deletes this very pod (by uid).
 * @param graceSeconds undefined: the pod's own grace period
 * @returns the pod as the deletion left it, for its resourceVersion; undefined when it was gone already
 */
export async function deletePod(
  client: KubeClient,
  pod: V1Pod,
  graceSeconds: number | undefined,
  options: Pick<CallOptions, 'timeoutMs' | 'once'> = {},
): Promise<V1Pod | undefined> {
  const body = {
    apiVersion: 'v1',
    kind: 'DeleteOptions',
    preconditions: { uid: pod.metadata?.uid },
    ...(graceSeconds === undefined ? {} : { gracePeriodSeconds: graceSeconds }),
  };
  try {
    return await client.call<V1Pod>('DELETE', path(pod.metadata?.namespace ?? '', pod.metadata?.name), { ...options, body });
  } catch (error) {
    // 409: another pod has the name by now, so ours is gone.
    if (error instanceof KubeError && (error.status === 404 || error.status === 409)) return undefined;
    throw error;
  }
}
