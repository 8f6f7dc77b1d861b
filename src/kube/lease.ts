// The calls on Leases (coordination.k8s.io/v1): a proxy's sign of life, and the controllers' election. They do not wait behind other
// calls: a renewal that is late because pods are created slowly would make orphans of pods with open connections.
import type { V1Lease } from '@kubernetes/client-node';
import { type KubeClient, KubeError } from './client.ts';

/** Longest wait for one of these calls: a Lease is worth something only if it is renewed in time (ms). */
const CALL_MS = 5000;

/** Path of the Leases of a namespace, or of one of them. */
export function leasePath(namespace: string, name?: string): string {
  return `/apis/coordination.k8s.io/v1/namespaces/${namespace}/leases${name === undefined ? '' : `/${name}`}`;
}

/** Creates a Lease. Throws a KubeError; 409 when the name is taken. */
export function createLease(client: KubeClient, lease: V1Lease, timeoutMs = CALL_MS): Promise<V1Lease> {
  const body = { apiVersion: 'coordination.k8s.io/v1', kind: 'Lease', ...lease };
  return client.call<V1Lease>('POST', leasePath(lease.metadata?.namespace ?? ''), { body, timeoutMs, urgent: true });
}

/** Reads a Lease; undefined when there is none of this name. */
export async function getLease(client: KubeClient, namespace: string, name: string, timeoutMs = CALL_MS): Promise<V1Lease | undefined> {
  try {
    return await client.call<V1Lease>('GET', leasePath(namespace, name), { timeoutMs, urgent: true });
  } catch (error) {
    if (error instanceof KubeError && error.status === 404) return undefined;
    throw error;
  }
}

/** Merges this into the Lease of its name; with a resourceVersion only if nobody has changed it since, else it throws a 409. */
export function patchLease(client: KubeClient, lease: V1Lease, timeoutMs = CALL_MS): Promise<V1Lease> {
  const { namespace = '', name } = lease.metadata ?? {};
  const type = 'application/merge-patch+json';
  return client.call<V1Lease>('PATCH', leasePath(namespace, name), { body: lease, type, timeoutMs, urgent: true });
}

/**
 * Deletes a Lease; with a uid and a resourceVersion only if it is still that very one. One that is gone or another now is fine.
 * @param urgent false: somebody else's, which must not keep our own waiting
 */
export async function deleteLease(client: KubeClient, { metadata = {} }: V1Lease, urgent = true): Promise<void> {
  const { namespace = '', name, uid, resourceVersion } = metadata;
  const body = { apiVersion: 'v1', kind: 'DeleteOptions', preconditions: { uid, resourceVersion } };
  try {
    await client.call('DELETE', leasePath(namespace, name), { body, timeoutMs: CALL_MS, urgent });
  } catch (error) {
    if (error instanceof KubeError && (error.status === 404 || error.status === 409)) return;
    throw error;
  }
}

/** Now, as a Lease has it; for people: nobody of us compares clocks. */
export function microTime(): string {
  return new Date().toISOString().replace('Z', '000Z');
}
