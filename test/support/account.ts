// Accounts of the test API server that may do only what a test grants them.
import { readFileSync, writeFileSync } from 'node:fs';
import { parse, stringify } from 'yaml';
import { connectKube, type KubeClient } from '../../src/kube/client.ts';
import type { TestApi } from './cluster.ts';
import { until } from './ports.ts';

/** A right in one namespace. */
export interface Right {
  /** API group; empty: the core. */
  readonly group: string;
  readonly resource: string;
  readonly verbs: readonly string[];
}

/** What a proxy needs where it serves functions (contract part 9), and where it has its Lease. */
export const PROXY_RIGHTS: readonly Right[] = [
  { group: '', resource: 'pods', verbs: ['get', 'list', 'watch', 'create', 'patch', 'delete'] },
  { group: 'socketpod.dev', resource: 'websocketfunctions', verbs: ['get', 'list', 'watch'] },
  { group: '', resource: 'events', verbs: ['create', 'patch'] },
];
export const LEASE_RIGHTS: readonly Right[] = [
  { group: 'coordination.k8s.io', resource: 'leases', verbs: ['get', 'list', 'watch', 'create', 'patch', 'delete'] },
];

/**
 * Makes a service account with these rights by namespace, and a kubeconfig for it.
 * @returns the path of the kubeconfig; its context's namespace is that of the account
 */
export async function account(
  api: Pick<TestApi, 'kubeconfig' | 'kubectl'>,
  { namespace, name }: { namespace: string; name: string },
  rights: Readonly<Record<string, readonly Right[]>>,
): Promise<string> {
  const subjects = [{ kind: 'ServiceAccount', name, namespace }];
  const items = Object.entries(rights).flatMap(([where, granted]) => {
    const metadata = { name, namespace: where };
    const rules = granted.map(({ group, resource, verbs }) => ({ apiGroups: [group], resources: [resource], verbs }));
    const roleRef = { apiGroup: 'rbac.authorization.k8s.io', kind: 'Role', name };
    return [
      { apiVersion: 'rbac.authorization.k8s.io/v1', kind: 'Role', metadata, rules },
      { apiVersion: 'rbac.authorization.k8s.io/v1', kind: 'RoleBinding', metadata, roleRef, subjects },
    ];
  });
  const itself = { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name, namespace } };
  api.kubectl(['create', '-f', '-'], JSON.stringify({ apiVersion: 'v1', kind: 'List', items: [itself, ...items] }));

  const config = parse(readFileSync(api.kubeconfig, 'utf8'));
  config.users[0].user = { token: api.kubectl(['create', 'token', name, '-n', namespace]).trim() };
  config.contexts[0].context.namespace = namespace;
  const kubeconfig = `${api.kubeconfig}.${name}`;
  writeFileSync(kubeconfig, stringify(config));

  const client = connectKube(kubeconfig);
  for (const [where, granted] of Object.entries(rights)) {
    for (const right of granted) await until(`${name} may use ${right.resource} in ${where}`, () => may(client, where, right));
  }
  await client.close();
  return kubeconfig;
}

async function may(client: KubeClient, namespace: string, { group, resource, verbs }: Right): Promise<boolean> {
  const body = { spec: { resourceAttributes: { namespace, group, resource, verb: verbs[0] } } };
  const path = '/apis/authorization.k8s.io/v1/selfsubjectaccessreviews';
  return (await client.call<{ status: { allowed: boolean } }>('POST', path, { body })).status.allowed;
}
