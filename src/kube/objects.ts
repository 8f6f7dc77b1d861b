// The calls on objects of any kind, for what is done once and not watched.
import type { KubernetesObject } from '@kubernetes/client-node';
import { isConflict, isNotFound, type KubeClient } from './client.ts';

/** Objects a page. */
const PAGE = '500';

/** A collection, and the labels of those of it that are meant. */
export interface Collection {
  /** Group and version, as in `/api/v1`. */
  readonly base: string;
  /** Plural name, as in `pods`. */
  readonly resource: string;
  /** Undefined: in all namespaces. */
  readonly namespace?: string;
  readonly labelSelector: string;
}

function pathOf({ base, resource }: Pick<Collection, 'base' | 'resource'>, namespace: string | undefined): string {
  return namespace === undefined ? `${base}/${resource}` : `${base}/namespaces/${namespace}/${resource}`;
}

/** All objects of a collection. Throws a KubeError. */
export async function listObjects<T extends KubernetesObject>(client: KubeClient, collection: Collection): Promise<T[]> {
  const found: T[] = [];
  let next: string | undefined;
  do {
    const query = { labelSelector: collection.labelSelector, limit: PAGE, ...(next ? { continue: next } : {}) };
    const page = await client.call<{ metadata?: { continue?: string }; items: T[] }>('GET', pathOf(collection, collection.namespace), {
      query,
    });
    found.push(...page.items);
    next = page.metadata?.continue;
  } while (next);
  return found;
}

/** Deletes this very object (by uid) of a collection; one that is gone already is fine. Throws a KubeError. */
export async function deleteObject(
  client: KubeClient,
  collection: Pick<Collection, 'base' | 'resource'>,
  { metadata }: KubernetesObject,
): Promise<void> {
  const body = { apiVersion: 'v1', kind: 'DeleteOptions', preconditions: { uid: metadata?.uid } };
  try {
    await client.call('DELETE', `${pathOf(collection, metadata?.namespace)}/${metadata?.name}`, { body });
  } catch (error) {
    if (!isNotFound(error) && !isConflict(error)) throw error;
  }
}

/** Sets the number of replicas of a Deployment. Throws a KubeError. */
export async function scaleDeployment(client: KubeClient, namespace: string, name: string, replicas: number): Promise<void> {
  await client.call('PATCH', `/apis/apps/v1/namespaces/${namespace}/deployments/${name}/scale`, {
    body: { spec: { replicas } },
    type: 'application/merge-patch+json',
  });
}
