// The NetworkPolicies that the controller keeps, on a real API server: made, changed with functions and the API server's addresses,
// repaired, and removed.
import type { V1NetworkPolicy } from '@kubernetes/client-node';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { DEFAULT_CEILINGS } from '../../src/api/ceilings.ts';
import { podFor } from '../../src/core/pod.ts';
import { FunctionReader } from '../../src/kube/functions.ts';
import { startApi, type TestApi } from '../support/cluster.ts';
import { FunctionsOf, installDefinition, type RunningController, startController } from '../support/controller.ts';
import { until } from '../support/ports.ts';

let api: TestApi;
let functions: FunctionsOf;
let controller: RunningController;

beforeAll(async () => {
  api = await startApi({ controllers: true });
  await installDefinition(api);
  functions = new FunctionsOf(api);
  for (const name of ['a', 'b']) api.kubectl(['create', 'namespace', name]);
  endpoints(['192.0.2.1']);
  await start();
}, 90_000);

afterAll(async () => {
  expect(await controller?.stop()).toBe(0);
  await api?.stop();
});

async function start(...args: string[]): Promise<void> {
  await controller?.stop();
  controller = await startController(api.kubeconfig, ['--deny-cidrs', '10.1.2.3/16', '--proxy-selector', 'app=proxy', ...args]);
  await controller.leads();
}

/** The API server of the tests makes no EndpointSlice of its own. */
function endpoints(addresses: string[]): void {
  const slice = {
    apiVersion: 'discovery.k8s.io/v1',
    kind: 'EndpointSlice',
    metadata: { name: 'kubernetes', namespace: 'default', labels: { 'kubernetes.io/service-name': 'kubernetes' } },
    addressType: 'IPv4',
    ports: [{ name: 'https', port: 6443 }],
    endpoints: [{ addresses }],
  };
  api.kubectl(['apply', '-f', '-'], JSON.stringify(slice));
}

function policy(namespace: string): V1NetworkPolicy | undefined {
  const { items } = JSON.parse(api.kubectl(['get', 'networkpolicy', '-n', namespace, '-o', 'json']));
  expect(items.length).toBeLessThanOrEqual(1);
  return items[0];
}

function ports(namespace: string): unknown {
  return policy(namespace)?.spec?.ingress?.[0]?.ports?.map(({ port }) => port);
}

function exceptions(namespace: string): string[] {
  return policy(namespace)?.spec?.egress?.[1]?.to?.[0]?.ipBlock?.except ?? [];
}

/** A pod of this function that does not end when it is deleted, until it may. */
function pod(name: string): { end(): void } {
  const { fn } = new FunctionReader({ ceilings: DEFAULT_CEILINGS, hostRules: undefined }).read(functions.get('a', name));
  const made = podFor(fn, { slot: 0, proxyId: 'aaaaaaaaaa', requestId: undefined, defaults: true });
  if (made.metadata) made.metadata.finalizers = ['example.com/held'];
  api.kubectl(['create', '-f', '-'], JSON.stringify(made));
  const at = ['pod', '-n', 'a', made.metadata?.name ?? ''];
  return {
    end() {
      api.kubectl(['delete', ...at, '--wait=false']);
      api.kubectl(['patch', ...at, '--type=merge', '-p', '{"metadata":{"finalizers":null}}']);
    },
  };
}

describe('the policy of a namespace', () => {
  it('comes with its first function, with the ports of all of them, and goes with the last', async () => {
    expect(policy('a')).toBeUndefined();
    functions.apply('a', 'one');
    await until('it is there', () => policy('a') !== undefined);
    expect(policy('a')?.metadata?.name).toBe('socketpod-functions');
    const service = api.kubectl(['get', 'service', 'kubernetes', '-o', 'jsonpath={.spec.clusterIP}']);
    expect(exceptions('a')).toEqual(['10.1.0.0/16', '169.254.0.0/16', '192.0.2.1/32', `${service}/32`]);
    expect(JSON.stringify(policy('a')?.spec?.ingress)).toContain('"app":"proxy"');
    expect(ports('a')).toEqual([9000]);
    functions.apply('a', 'two', { port: 8080 });
    await until('it has both ports', () => JSON.stringify(ports('a')) === '[8080,9000]');
    functions.delete('a', 'one');
    await until('it has one port', () => JSON.stringify(ports('a')) === '[8080]');
    expect(policy('b')).toBeUndefined();
    functions.delete('a', 'two');
    await until('it is gone', () => policy('a') === undefined);
  });

  it('lets in to the pods that are there, whatever becomes of their function, and stays until they are gone', async () => {
    functions.apply('a', 'edited');
    await until('it is there', () => JSON.stringify(ports('a')) === '[9000]');
    const held = pod('edited');
    functions.apply('a', 'edited', { port: 8080 });
    await until('it has the new port too', () => JSON.stringify(ports('a')) === '[8080,9000]');
    functions.delete('a', 'edited');
    await until('it has that of the pod', () => JSON.stringify(ports('a')) === '[9000]');
    held.end();
    await until('it is gone', () => policy('a') === undefined);
  });

  it('that somebody edits or deletes is repaired', async () => {
    functions.apply('a', 'one');
    await until('it is there', () => policy('a') !== undefined);
    const spec = policy('a')?.spec;
    const patch = (value: object) =>
      api.kubectl(['patch', 'networkpolicy', '-n', 'a', 'socketpod-functions', '--type=merge', '-p', JSON.stringify(value)]);
    patch({ spec: { ingress: [{}], egress: [{}] } });
    await until('it is as it was', () => JSON.stringify(policy('a')?.spec) === JSON.stringify(spec));
    patch({ metadata: { labels: { 'app.kubernetes.io/managed-by': 'me' } } });
    await until('it is known again', () => policy('a')?.metadata?.labels?.['app.kubernetes.io/managed-by'] === 'socketpod-controller');
    const uid = policy('a')?.metadata?.uid;
    api.kubectl(['delete', 'networkpolicy', '-n', 'a', 'socketpod-functions']);
    await until('it is there again', () => policy('a') !== undefined && policy('a')?.metadata?.uid !== uid);
    expect(policy('a')?.spec).toEqual(spec);
  });

  it('follows the API server to other addresses', async () => {
    endpoints(['192.0.2.1', '192.0.2.2']);
    await until('both are kept from functions', () => exceptions('a').includes('192.0.2.2/32'));
    endpoints(['192.0.2.2']);
    await until('the old one is not', () => !exceptions('a').includes('192.0.2.1/32'));
  });

  it('is put right by a controller that was away', async () => {
    await controller.stop();
    functions.apply('b', 'other', { port: 9001 });
    api.kubectl(['delete', 'networkpolicy', '-n', 'a', 'socketpod-functions']);
    await start();
    await until('all are there', () => policy('a') !== undefined && JSON.stringify(ports('b')) === '[9001]');
  });

  it('does not hold up the end of its namespace', async () => {
    api.kubectl(['delete', 'namespace', 'b', '--timeout=25s']);
    expect(controller.lines.filter(({ message }) => message.includes('could not be reconciled'))).toEqual([]);
  });

  it('goes when it is switched off, and no other does', async () => {
    const foreign = { apiVersion: 'networking.k8s.io/v1', kind: 'NetworkPolicy', metadata: { name: 'foreign' }, spec: { podSelector: {} } };
    api.kubectl(['apply', '-n', 'a', '-f', '-'], JSON.stringify(foreign));
    await start('--network-policy', 'off');
    const names = () => api.kubectl(['get', 'networkpolicy', '-A', '-o', 'name']);
    await until('ours are gone', () => names() === 'networkpolicy.networking.k8s.io/foreign\n');
    functions.apply('a', 'after');
    await functions.reason('a', 'after', 'Accepted');
    expect(names()).toBe('networkpolicy.networking.k8s.io/foreign\n');
  });
});
