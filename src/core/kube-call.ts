// What a call to the API server is, in the words of Kubernetes' audit and RBAC: a verb on a resource.

/** Verb and resource of a call. */
export interface KubeCall {
  readonly verb: 'get' | 'list' | 'watch' | 'create' | 'update' | 'patch' | 'delete';
  /** As in `pods`. */
  readonly resource: string;
}

const BASE = /^\/(?:api\/[^/]+|apis\/[^/]+\/[^/]+)\//;
const VERBS: Readonly<Record<string, KubeCall['verb']>> = { POST: 'create', PUT: 'update', PATCH: 'patch', DELETE: 'delete' };

/** @param path as in `/api/v1/namespaces/default/pods/web`, without query */
export function kubeCall(method: string, path: string, watch: boolean): KubeCall {
  const parts = path.replace(BASE, '').split('/');
  const [resource = '', name] = parts[0] === 'namespaces' && parts.length > 2 ? parts.slice(2) : parts;
  return { verb: VERBS[method] ?? (name !== undefined ? 'get' : watch ? 'watch' : 'list'), resource };
}
