// A release for a list of namespaces: by Roles in each of them, for those who may not make ClusterRoles for pods.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { functionObject, kubectl, makeNamespace, openSocket } from '../support/node.ts';
import { until } from '../support/ports.ts';
import { echoThrough, functionPods, install, makeRestricted, serviceUrl, uninstall } from './release.ts';

const ECHO = functionObject('echo', {});

beforeAll(async () => {
  for (const name of ['team-b', 'team-c', 'team-d']) await makeNamespace(name);
  await makeRestricted('socketpod');
  install({ namespaces: ['team-b', 'team-c'] });
  for (const name of ['team-b', 'team-c', 'team-d']) kubectl(['apply', '-n', name, '-f', '-'], ECHO);
}, 120_000);

afterAll(() => {
  kubectl(['delete', 'crd', 'websocketfunctions.socketpod.dev']);
  kubectl(['delete', 'namespace', 'team-b', 'team-c', 'team-d', 'socketpod']);
});

describe('a release for two namespaces', () => {
  it('has no ClusterRole for pods', () => {
    const roles = JSON.parse(kubectl(['get', 'clusterroles', '-l', 'app.kubernetes.io/instance=socketpod', '-o', 'json'])).items;
    expect(roles.flatMap(({ rules }: { rules: { resources: string[] }[] }) => rules.flatMap(({ resources }) => resources))).not.toContain(
      'pods',
    );
    expect(kubectl(['get', 'clusterrolebindings', '-l', 'app.kubernetes.io/instance=socketpod', '-o', 'name'])).toBe('');
  });

  it.each(['team-b', 'team-c'])('serves functions in %s', async (namespace) => {
    kubectl(['wait', '-n', namespace, '--for=condition=Ready', 'wsf/echo', '--timeout=30s']);
    const socket = await echoThrough(`${namespace}/echo`);
    const closed = new Promise((resolve) => socket.once('close', resolve));
    socket.close(1000);
    expect(await closed).toBe(1000);
    await until('its pod is gone', () => functionPods().length === 0, 30_000);
  });

  it('serves none elsewhere', async () => {
    expect(await openSocket(serviceUrl('team-d/echo'))).toMatchObject({ status: 404, code: 435 });
  });

  it('may do nothing elsewhere', () => {
    const who = ['--as=system:serviceaccount:socketpod:socketpod-proxy', '--as-group=system:serviceaccounts'];
    for (const namespace of ['team-d', 'kube-system', 'default']) {
      expect(() => kubectl([...who, 'auth', 'can-i', 'list', 'pods', '-n', namespace])).toThrow();
    }
  });

  it('is uninstalled without a trace in its namespaces', async () => {
    const sockets = await Promise.all(['team-b', 'team-c'].map((namespace) => echoThrough(`${namespace}/echo`)));
    const ends = Promise.all(sockets.map((socket) => new Promise((resolve) => socket.once('close', resolve))));
    await uninstall();
    await ends;
    expect(functionPods()).toEqual([]);
    for (const namespace of ['team-b', 'team-c']) {
      expect(kubectl(['get', 'roles,rolebindings,networkpolicies', '-n', namespace, '-o', 'name'])).toBe('');
    }
  }, 120_000);
});
