// A controller for a list of namespaces, with the rights that the README names and no others: all that it does, it may do.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { account, LEASE_RIGHTS, type Right } from '../support/account.ts';
import { startApi, type TestApi } from '../support/cluster.ts';
import { FunctionsOf, installDefinition, type RunningController, startController } from '../support/controller.ts';
import { until } from '../support/ports.ts';

const RIGHTS: readonly Right[] = [
  { group: '', resource: 'pods', verbs: ['get', 'list', 'watch', 'create', 'delete'] },
  { group: 'socketpod.dev', resource: 'websocketfunctions', verbs: ['get', 'list', 'watch'] },
  { group: 'socketpod.dev', resource: 'websocketfunctions/status', verbs: ['patch'] },
  { group: '', resource: 'events', verbs: ['create'] },
  { group: 'networking.k8s.io', resource: 'networkpolicies', verbs: ['get', 'list', 'watch', 'create', 'patch', 'delete'] },
];
const READ: readonly Right[] = [
  { group: '', resource: 'services', verbs: ['get', 'list', 'watch'] },
  { group: 'discovery.k8s.io', resource: 'endpointslices', verbs: ['get', 'list', 'watch'] },
];

let api: TestApi;
let functions: FunctionsOf;
let controller: RunningController | undefined;

beforeAll(async () => {
  api = await startApi({ controllers: true });
  await installDefinition(api);
  functions = new FunctionsOf(api);
  for (const name of ['a', 'b', 'c', 'own']) api.kubectl(['create', 'namespace', name]);
}, 90_000);

afterAll(async () => {
  await controller?.stop();
  await api?.stop();
});

describe('a controller with the rights of the README', () => {
  it('does all that it does in its namespaces, and nothing elsewhere', async () => {
    const rights = { a: RIGHTS, b: RIGHTS, own: LEASE_RIGHTS, default: READ };
    const kubeconfig = await account(api, { namespace: 'own', name: 'controller' }, rights);
    controller = await startController(kubeconfig, ['--namespace', 'a,b', '--own-namespace', 'own']);
    await controller.leads();
    for (const name of ['a', 'b', 'c']) functions.apply(name, 'fn', { route: { hosts: ['x.example'] } });
    functions.apply('b', 'typo', {}, { nodeSelektor: { a: 'b' } });
    await functions.reason('a', 'fn', 'Accepted');
    expect((await functions.reason('b', 'fn', 'HostTaken')).message).toContain('belongs to a/fn');
    await functions.reason('b', 'typo', 'PodRejected');
    const policies = () => api.kubectl(['get', 'networkpolicy', '-A', '-o', 'jsonpath={.items[*].metadata.namespace}']);
    await until('both have a policy', () => policies() === 'a b');
    await until('it is told', () => functions.events('b', 'typo').length > 0);
    functions.delete('a', 'fn');
    await until('the policy is gone', () => policies() === 'b');
    await functions.reason('b', 'fn', 'Accepted');
    expect(functions.get('c', 'fn').status).toBeUndefined();
    expect(controller.lines.filter(({ level }) => level !== 'info')).toEqual([]);
  });

  it('needs none on policies where there shall be none', async () => {
    await controller?.stop();
    const few = RIGHTS.filter(({ group }) => group !== 'networking.k8s.io');
    const kubeconfig = await account(api, { namespace: 'own', name: 'few' }, { c: few, own: LEASE_RIGHTS });
    controller = await startController(kubeconfig, ['--namespace', 'c', '--own-namespace', 'own', '--network-policy', 'off']);
    await controller.leads();
    await functions.reason('c', 'fn', 'Accepted');
    const lines = controller.lines.filter(({ level }) => level !== 'info').map(({ message }) => message);
    expect(lines).toEqual([expect.stringMatching(/^NetworkPolicies of an earlier controller cannot be looked for: .*few/)]);
  });
});
