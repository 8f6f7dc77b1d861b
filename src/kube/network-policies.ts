// The two calls on NetworkPolicies (networking.k8s.io/v1).
import type { V1NetworkPolicy } from '@kubernetes/client-node';
import { isConflict, isNotFound, type KubeClient, KubeError } from './client.ts';

/** Whose fields a policy is made of (server-side apply). */
const FIELD_MANAGER = 'socketpod-controller';

function path({ metadata }: V1NetworkPolicy): string {
  return `/apis/networking.k8s.io/v1/namespaces/${metadata?.namespace}/networkpolicies/${metadata?.name}`;
}

/** Creates a policy, or makes its fields these. A namespace that goes away needs none. Throws a KubeError. */
export async function applyPolicy(client: KubeClient, policy: V1NetworkPolicy): Promise<void> {
  const query = { fieldManager: FIELD_MANAGER, force: 'true' };
  try {
    await client.call('PATCH', path(policy), { query, type: 'application/apply-patch+yaml', body: policy });
  } catch (error) {
    const going = error instanceof KubeError && (error.status === 404 || / is being terminated/.test(error.message));
    if (!going) throw error;
  }
}

/** Deletes this very policy (by uid); one that is gone already is fine. Throws a KubeError. */
export async function deletePolicy(client: KubeClient, policy: V1NetworkPolicy): Promise<void> {
  const body = { apiVersion: 'v1', kind: 'DeleteOptions', preconditions: { uid: policy.metadata?.uid } };
  try {
    await client.call('DELETE', path(policy), { body });
  } catch (error) {
    if (!isNotFound(error) && !isConflict(error)) throw error;
  }
}
