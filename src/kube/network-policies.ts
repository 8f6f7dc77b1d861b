// Where NetworkPolicies are (networking.k8s.io/v1), and how one is applied.
import type { V1NetworkPolicy } from '@kubernetes/client-node';
import { type KubeClient, KubeError } from './client.ts';

/** Whose fields a policy is made of (server-side apply). */
const FIELD_MANAGER = 'socketpod-controller';

/** Their collection. */
export const POLICIES = { base: '/apis/networking.k8s.io/v1', resource: 'networkpolicies' };

function path({ metadata }: V1NetworkPolicy): string {
  return `${POLICIES.base}/namespaces/${metadata?.namespace}/${POLICIES.resource}/${metadata?.name}`;
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
