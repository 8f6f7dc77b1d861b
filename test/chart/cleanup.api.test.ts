// `socketpod cleanup`, with the rights that the chart gives it and under its admission policy: what goes, and what stays.
import { spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { parse, stringify } from 'yaml';
import { startApi, type TestApi } from '../support/cluster.ts';
import { type ChartValues, render } from '../support/helm.ts';
import { until } from '../support/ports.ts';

const MAIN = join(import.meta.dirname, '..', '..', 'src', 'main.ts');
let api: TestApi;
let kubeconfig: string;
let functionUid: string;

function apply(...items: object[]): void {
  api.kubectl(['apply', '-f', '-'], JSON.stringify({ apiVersion: 'v1', kind: 'List', items }));
}

/** Everything of a release that concerns what its accounts may do. */
function install(values: ChartValues): void {
  const concerned = /^(ServiceAccount|CustomResourceDefinition|(Cluster)?Role(Binding)?|ValidatingAdmission.*)$/;
  const objects = render(values).filter(({ kind }) => concerned.test(kind));
  apply(...objects.map((object) => ({ ...object, metadata: { namespace: 'socketpod', ...object.metadata } })));
}

function cleanup(...args: string[]): { status: number | null; stdout: string; stderr: string } {
  const env = { ...process.env, KUBECONFIG: kubeconfig, SOCKETPOD_OWN_NAMESPACE: 'socketpod' };
  return spawnSync(process.execPath, [MAIN, 'cleanup', '--grace', '1', ...args], { encoding: 'utf8', env });
}

function object(apiVersion: string, kind: string, namespace: string, name: string, labels: object, more: object = {}): object {
  const { metadata = {}, ...rest } = more as { metadata?: object };
  return { apiVersion, kind, metadata: { name, namespace, labels, ...metadata }, ...rest };
}

const POD_SPEC = { containers: [{ name: 'c', image: 'localhost/fn:1' }] };
const ours = (component: string) => ({
  'app.kubernetes.io/name': 'socketpod',
  'app.kubernetes.io/instance': 'socketpod',
  'app.kubernetes.io/component': component,
});
const FUNCTION = { 'socketpod.dev/function': 'fn', 'socketpod.dev/proxy': '0123456789' };
const owned = () => ({
  ownerReferences: [{ apiVersion: 'socketpod.dev/v1alpha1', kind: 'WebSocketFunction', name: 'fn', uid: functionUid, controller: true }],
});

/** An installation at work, with things beside it that are not its. */
function populate(): void {
  const deployment = (name: string, labels: object) => {
    const app = { app: name };
    const template = { metadata: { labels: app }, spec: POD_SPEC };
    return object('apps/v1', 'Deployment', 'socketpod', name, labels, { spec: { replicas: 2, selector: { matchLabels: app }, template } });
  };
  const policy = (namespace: string, name: string, by: string) =>
    object('networking.k8s.io/v1', 'NetworkPolicy', namespace, name, { 'app.kubernetes.io/managed-by': by }, { spec: { podSelector: {} } });
  apply(
    deployment('socketpod-proxy', ours('proxy')),
    deployment('socketpod-controller', ours('controller')),
    deployment('other', {}),
    ...['proxy-a', 'proxy-b'].map((name) => object('v1', 'Pod', 'socketpod', name, ours('proxy'), { spec: POD_SPEC })),
    object('v1', 'Pod', 'socketpod', 'controller-a', ours('controller'), { spec: POD_SPEC }),
    object('v1', 'Pod', 'socketpod', 'other', {}, { spec: POD_SPEC }),
    ...['team-a', 'team-b'].map((namespace) =>
      object('v1', 'Pod', namespace, 'fn-slot-0', FUNCTION, { spec: POD_SPEC, metadata: owned() }),
    ),
    object('v1', 'Pod', 'team-a', 'stranger', FUNCTION, { spec: POD_SPEC }),
    object('coordination.k8s.io/v1', 'Lease', 'socketpod', 'socketpod-controller', { 'socketpod.dev/lease': 'controller' }),
    object('coordination.k8s.io/v1', 'Lease', 'socketpod', 'other', {}),
    policy('team-a', 'socketpod-functions', 'socketpod-controller'),
    policy('team-b', 'socketpod-functions', 'socketpod-controller'),
    policy('team-a', 'other', 'somebody'),
  );
}

/** What there is, as `NAMESPACE/NAME`. */
function names(kind: string): string[] {
  const template = '{range .items[*]}{.metadata.namespace}/{.metadata.name} {end}';
  const text = api.kubectl(['get', kind, '-A', '-o', `jsonpath=${template}`]);
  return text.split(' ').filter((name) => /^(socketpod|team)/.test(name));
}

beforeAll(async () => {
  api = await startApi();
  for (const name of ['socketpod', 'team-a', 'team-b']) api.kubectl(['create', 'namespace', name]);
  install({});
  api.kubectl(['wait', '--for=condition=Established', 'crd', '--all', '--timeout=30s']);
  const config = parse(readFileSync(api.kubeconfig, 'utf8'));
  config.users[0].user = { token: api.kubectl(['create', 'token', 'socketpod-cleanup', '-n', 'socketpod']).trim() };
  kubeconfig = `${api.kubeconfig}.cleanup`;
  writeFileSync(kubeconfig, stringify(config));
  await until('the definition serves', () => {
    try {
      apply(object('socketpod.dev/v1alpha1', 'WebSocketFunction', 'team-a', 'fn', {}, { spec: { template: { spec: POD_SPEC } } }));
      return true;
    } catch {
      return false;
    }
  });
  functionUid = api.kubectl(['get', 'wsf', 'fn', '-n', 'team-a', '-o', 'jsonpath={.metadata.uid}']);
}, 90_000);
afterAll(() => api?.stop());
beforeEach(populate);

describe('cleanup', () => {
  it('ends what the release runs, and then deletes what it made, and nothing else', () => {
    const { stdout, stderr, status } = cleanup();
    expect(stderr).toBe('');
    expect(status).toBe(0);
    expect(stdout.trim().split('\n')).toEqual([
      'socketpod-controller is scaled to 0',
      'socketpod-proxy is scaled to 0',
      'proxies and controllers are gone: 3',
      'pods of functions are gone: 2',
      'Leases are deleted: 1',
      'NetworkPolicies of the controller are deleted: 2',
    ]);
    expect(names('pods')).toEqual(['socketpod/other', 'team-a/stranger']);
    expect(names('leases')).toEqual(['socketpod/other']);
    expect(names('networkpolicies')).toEqual(['team-a/other']);
    const replicas = api.kubectl([
      'get',
      'deploy',
      '-n',
      'socketpod',
      '-o',
      'jsonpath={range .items[*]}{.metadata.name}={.spec.replicas} {end}',
    ]);
    expect(replicas.trim()).toBe('other=2 socketpod-controller=0 socketpod-proxy=0');
    expect(names('wsf')).toEqual(['team-a/fn']);
  });

  it('says what is left when its time is over', () => {
    const stuck = { finalizers: ['example.com/stuck'], ...owned() };
    apply(object('v1', 'Pod', 'team-a', 'fn-slot-1', FUNCTION, { spec: POD_SPEC, metadata: stuck }));
    const { stderr, status } = cleanup('--timeout', '3');
    expect(stderr).toBe('socketpod: the time is over, and there are still team-a/fn-slot-1\n');
    expect(status).toBe(1);
    api.kubectl(['patch', 'pod', '-n', 'team-a', 'fn-slot-1', '--type=merge', '-p', '{"metadata":{"finalizers":null}}']);
  });

  it('by Roles in a list of namespaces leaves all others alone', () => {
    api.kubectl(['delete', 'clusterrole,clusterrolebinding', '-l', 'app.kubernetes.io/component=cleanup']);
    install({ namespaces: ['team-b'] });
    const { stdout, stderr, status } = cleanup('--namespace', 'team-b');
    expect(stderr).toBe('');
    expect(status).toBe(0);
    expect(stdout).toContain('pods of functions are gone: 1');
    expect(names('pods')).toEqual(['socketpod/other', 'team-a/fn-slot-0', 'team-a/stranger']);
    expect(names('networkpolicies')).toEqual(['team-a/other', 'team-a/socketpod-functions']);
  });
});
