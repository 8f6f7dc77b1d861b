// What the accounts of the chart may do: the table of docs/rbac.md and no more; and of that, what the admission policy refuses.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startApi, type TestApi } from '../support/cluster.ts';
import { type ChartValues, type Rendered, render } from '../support/helm.ts';
import { until } from '../support/ports.ts';

let api: TestApi;
let functionUid: string;

/** An account of the chart, as kubectl is told to act as. */
function as(account: string): string[] {
  return [
    `--as=system:serviceaccount:socketpod:socketpod-${account}`,
    '--as-group=system:serviceaccounts',
    '--as-group=system:authenticated',
  ];
}

/** Roles, policy and definition, as helm would install them. */
function install(values: ChartValues): void {
  const objects = render(values).filter(({ apiVersion }) => /^(rbac|admission|api).*k8s.io\/v1$/.test(apiVersion));
  const items = objects.map((object) => ({ ...object, metadata: { namespace: 'socketpod', ...object.metadata } }));
  api.kubectl(['apply', '-f', '-'], JSON.stringify({ apiVersion: 'v1', kind: 'List', items }));
}

beforeAll(async () => {
  api = await startApi();
  for (const name of ['socketpod', 'team-a', 'team-b', 'team-c']) api.kubectl(['create', 'namespace', name]);
  install({});
  api.kubectl(['wait', '--for=condition=Established', 'crd', '--all', '--timeout=30s']);
  const fn = { apiVersion: 'socketpod.dev/v1alpha1', kind: 'WebSocketFunction', metadata: { name: 'fn', namespace: 'team-a' } };
  const template = { spec: { containers: [{ name: 'function', image: 'localhost/fn:1' }] } };
  api.kubectl(['apply', '-f', '-'], JSON.stringify({ ...fn, spec: { template } }));
  functionUid = api.kubectl(['get', 'wsf', 'fn', '-n', 'team-a', '-o', 'jsonpath={.metadata.uid}']);
}, 90_000);
afterAll(() => api?.stop());

/** `RESOURCE VERB` of all that an account may do in a namespace, beyond what everybody may. */
function rights(account: string, namespace: string): string[] {
  const list = (who: string[]) =>
    api
      .kubectl([...who, 'auth', 'can-i', '--list', '--no-headers', '-n', namespace])
      .split('\n')
      .filter((line) => line !== '')
      .flatMap((line) => {
        // Rules about paths name no resource.
        const [, resource = '', paths = '', names, verbs = ''] = /^(\S*)\s+\[(.*)\]\s+\[(.*)\]\s+\[(.*)\]$/.exec(line) ?? [];
        return verbs.split(' ').map((verb) => `${resource}${paths}${names ? `/${names}` : ''} ${verb}`);
      });
  const everybody = new Set(
    list(['--as=system:serviceaccount:team-c:anybody', '--as-group=system:serviceaccounts', '--as-group=system:authenticated']),
  );
  return list(as(account))
    .filter((right) => !everybody.has(right))
    .sort();
}

/** The same by the table of the docs. */
function documented(account: string, places: readonly string[]): string[] {
  const text = readFileSync(join(import.meta.dirname, '..', '..', 'docs', 'rbac.md'), 'utf8');
  const rows = text.split('\n').map((line) => line.split('|').map((cell) => cell.trim()));
  return rows
    .filter(([, who = '', where = '']) => who === account && places.includes(where))
    .flatMap(([, , , resource, verbs = '']) => verbs.split(', ').map((verb) => `${resource} ${verb}`))
    .sort();
}

describe.each(['proxy', 'controller'])('the account of the %s', (account) => {
  it.each([
    ['team-a', ['functions']],
    ['socketpod', ['functions', 'own']],
    ['default', ['functions', 'default']],
  ])('may do in %s what the docs say, and no more', (namespace, places) => {
    const expected = [...new Set(documented(account, places))];
    expect(expected.length).toBeGreaterThan(10);
    expect(rights(account, namespace)).toEqual(expected);
  });
});

describe('the roles of users', () => {
  it('edit writes functions and view reads them; nobody writes their status', () => {
    const rules = (role: string) =>
      api.kubectl(['get', 'clusterrole', '-l', `rbac.authorization.k8s.io/aggregate-to-${role}=true`, '-o', 'json']);
    const ours = (role: string) =>
      JSON.parse(rules(role))
        .items.flatMap((item: Rendered) => item.rules ?? [])
        .filter((rule: { apiGroups: string[] }) => rule.apiGroups.includes('socketpod.dev'));
    expect(ours('edit')[0].verbs).toContain('create');
    expect(ours('view').flatMap(({ verbs }: { verbs: string[] }) => verbs)).toEqual(['get', 'list', 'watch']);
    for (const role of ['edit', 'admin', 'view']) {
      expect(ours(role).length).toBeGreaterThan(0);
      expect(JSON.stringify(ours(role))).not.toContain('status');
    }
  });
});

// ---- The admission policy ----

/** A pod as a proxy makes it, or not quite. */
function pod(metadata: object = {}, spec: object = {}, container: object = {}): object {
  const owner = { apiVersion: 'socketpod.dev/v1alpha1', kind: 'WebSocketFunction', name: 'fn', uid: functionUid, controller: true };
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: 'fn-slot-0', namespace: 'team-a', labels: { 'socketpod.dev/function': 'fn' }, ownerReferences: [owner], ...metadata },
    spec: { containers: [{ name: 'function', image: 'localhost/fn:1', ...container }], ...spec },
  };
}

/** What the API server says to this; empty when it does it. */
function refusal(account: string, args: readonly string[], input?: object): string {
  try {
    api.kubectl([...as(account), ...args], input && JSON.stringify(input));
    return '';
  } catch (error) {
    return String((error as { stderr?: string }).stderr);
  }
}

const create = (account: string, object: object, ...more: string[]) => refusal(account, ['create', '-f', '-', ...more], object);

describe('as the account of the proxy', () => {
  beforeAll(() => until('the policy holds', () => create('proxy', pod({ ownerReferences: [] }), '--dry-run=server') !== '', 30_000));

  it('a pod of a function can be made, labelled and deleted', () => {
    expect(create('proxy', pod())).toBe('');
    expect(refusal('proxy', ['label', '-n', 'team-a', 'pod', 'fn-slot-0', 'socketpod.dev/state=connected'])).toBe('');
    expect(refusal('proxy', ['delete', '-n', 'team-a', 'pod', 'fn-slot-0', '--wait=false'])).toBe('');
  });

  const HOST_PATH = [{ name: 'host', hostPath: { path: '/' } }];
  const INIT = [{ name: 'init', image: 'localhost/fn:1', securityContext: { privileged: true } }];
  it.each<[string, () => object, string]>([
    ['without an owner', () => pod({ ownerReferences: [] }), 'pods of functions alone'],
    [
      'owned by something else',
      () => pod({ ownerReferences: [{ apiVersion: 'v1', kind: 'ConfigMap', name: 'fn', uid: functionUid, controller: true }] }),
      'pods of functions alone',
    ],
    ['without our label', () => pod({ labels: {} }), 'pods of functions alone'],
    ['in kube-system', () => pod({ namespace: 'kube-system' }), 'not in kube-*'],
    ['in our namespace', () => pod({ namespace: 'socketpod' }), 'not in kube-*'],
    ['with hostPath', () => pod({}, { volumes: HOST_PATH }), 'no volume of type hostPath'],
    ['with hostNetwork', () => pod({}, { hostNetwork: true }), 'no hostNetwork'],
    ['with hostPID', () => pod({}, { hostPID: true }), 'no hostNetwork'],
    ['with hostIPC', () => pod({}, { hostIPC: true }), 'no hostNetwork'],
    ['with hostPort', () => pod({}, {}, { ports: [{ containerPort: 9000, hostPort: 9000 }] }), 'no hostPort'],
    ['privileged', () => pod({}, {}, { securityContext: { privileged: true } }), 'no privileged container'],
    ['privileged in an init container', () => pod({}, { initContainers: INIT }), 'no privileged container'],
    ['with a capability', () => pod({}, {}, { securityContext: { capabilities: { add: ['NET_ADMIN'] } } }), 'no capabilities beyond []'],
  ])('a pod %s is refused', (_what, object, words) => {
    expect(create('proxy', object())).toContain(words);
  });

  it('a pod of somebody else cannot be made ours, nor deleted', () => {
    const { ownerReferences: _none, ...foreign } = (pod() as { metadata: Record<string, unknown> }).metadata;
    api.kubectl(['create', '-f', '-'], JSON.stringify(pod({ ...foreign, name: 'foreign', labels: {}, ownerReferences: [] })));
    const patch = JSON.stringify({ metadata: (pod({ name: 'foreign' }) as { metadata: object }).metadata });
    expect(refusal('proxy', ['patch', '-n', 'team-a', 'pod', 'foreign', '--type=merge', '-p', patch])).toContain('pods of functions alone');
    expect(refusal('proxy', ['delete', '-n', 'team-a', 'pod', 'foreign', '--wait=false'])).toContain('pods of functions alone');
  });
});

describe('as the account of the controller', () => {
  it('pods are created as a trial alone', () => {
    expect(create('controller', pod({ name: 'fn-trial' }), '--dry-run=server')).toBe('');
    expect(create('controller', pod({ name: 'fn-trial' }))).toContain('as a trial alone');
  });
});

describe('the values of the policy', () => {
  it('let in what is asked for', async () => {
    install({ admissionPolicy: { allow: { hostNamespaces: true, privileged: true, capabilities: ['NET_ADMIN'] } } });
    const privileged = () =>
      pod({ name: 'allowed' }, { hostNetwork: true }, { securityContext: { privileged: true, capabilities: { add: ['NET_ADMIN'] } } });
    await until('the policy is loosened', () => create('proxy', privileged(), '--dry-run=server') === '', 30_000);
    expect(create('proxy', pod({}, {}, { securityContext: { capabilities: { add: ['SYS_ADMIN'] } } }))).toContain(
      "no capabilities beyond ['NET_ADMIN']",
    );
    expect(create('proxy', pod({ ownerReferences: [] }))).toContain('pods of functions alone');
  });
});

describe('with a list of namespaces', () => {
  beforeAll(() => {
    api.kubectl(['delete', 'clusterroles,clusterrolebindings', '-l', 'app.kubernetes.io/component in (proxy,controller)']);
    install({ namespaces: ['team-a', 'team-b'] });
  });

  it.each(['proxy', 'controller'])('the account of the %s has the same rights there, and none elsewhere', async (account) => {
    const expected = [...new Set(documented(account, ['functions']))];
    await until('the roles hold', () => rights(account, 'team-a').length > 0, 30_000);
    for (const namespace of ['team-a', 'team-b']) expect(rights(account, namespace)).toEqual(expected);
    expect(rights(account, 'team-c')).toEqual([]);
    expect(rights(account, 'kube-system')).toEqual([]);
    expect(rights(account, 'socketpod')).toEqual(documented(account, ['own']));
  });
});
