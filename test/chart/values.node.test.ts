// What values do on a node: TLS that ends at the proxies, ceilings and hosts by file, and who reaches the admin port.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { certificateFor } from '../support/certificates.ts';
import { mustHelm } from '../support/helm.ts';
import { ask, functionObject, kubectl, makeNamespace, mustOpen } from '../support/node.ts';
import { install, makeRestricted, ourPods, uninstall } from './release.ts';

const VALUES = {
  publicUrl: 'wss://functions.example.com',
  ceilings: { namespaces: { 'team-e': { maxConnections: 5 } } },
  hostRules: [{ hosts: ['*.apps.example.com'], namespaces: ['team-e'] }],
  proxy: { tls: { secrets: ['tls'], plain: false }, trustedProxies: ['198.19.0.0/24'], maxConnectionsPerAddress: 100 },
  test: { function: 'team-e/echo' },
};

beforeAll(async () => {
  await makeRestricted('socketpod');
  await makeNamespace('team-e');
  await makeNamespace('monitoring');
  const { cert, key } = await certificateFor('functions.example.com');
  const data = { 'tls.crt': Buffer.from(cert).toString('base64'), 'tls.key': Buffer.from(key).toString('base64') };
  kubectl(['create', '-n', 'socketpod', '-f', '-'], {
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: { name: 'tls' },
    type: 'kubernetes.io/tls',
    data,
  });
  install(VALUES);
  const functions = [
    functionObject('echo', {}, { maxConnections: 5 }),
    functionObject('many', {}, { maxConnections: 6 }),
    functionObject('hosted', {}, { maxConnections: 5, route: { hosts: ['a.apps.example.com'] } }),
    functionObject('stranger', {}, { maxConnections: 5, route: { hosts: ['www.example.com'] } }),
  ];
  kubectl(['apply', '-n', 'team-e', '-f', '-'], { apiVersion: 'v1', kind: 'List', items: functions });
}, 180_000);

afterAll(async () => {
  await uninstall();
  kubectl(['delete', 'crd', 'websocketfunctions.socketpod.dev']);
  kubectl(['delete', 'namespace', 'team-e', 'monitoring', 'socketpod']);
}, 180_000);

describe('TLS alone', () => {
  it('is what clients get, with the certificate of the Secret', async () => {
    kubectl(['wait', '-n', 'team-e', '--for=condition=Ready', 'wsf/echo', '--timeout=30s']);
    const options = { rejectUnauthorized: false, servername: 'functions.example.com' };
    const { socket } = await mustOpen('wss://socketpod.socketpod/team-e/echo', [], options);
    expect(await ask(socket, 'over TLS')).toBe('over TLS');
    socket.close(1000);
    await expect(mustOpen('ws://socketpod.socketpod/team-e/echo', [], { handshakeTimeout: 2000 })).rejects.toThrow();
  });

  it('passes helm test, to the function that was named', () => {
    expect(mustHelm(['test', 'socketpod', '-n', 'socketpod', '--timeout', '60s'])).toMatch(/Phase: +Succeeded/);
  });
});

describe('files of the operator', () => {
  it.each([
    ['many', 'CeilingExceeded'],
    ['stranger', 'HostNotAllowed'],
  ])('refuse %s with %s', (name, reason) => {
    kubectl(['wait', '-n', 'team-e', '--for=condition=Accepted=false', `wsf/${name}`, '--timeout=30s']);
    const path = 'jsonpath={.status.conditions[?(@.type=="Accepted")].reason}';
    expect(kubectl(['get', '-n', 'team-e', `wsf/${name}`, '-o', path])).toBe(reason);
  });

  it('let in what they name, and tell its address', () => {
    kubectl(['wait', '-n', 'team-e', '--for=condition=Ready', 'wsf/hosted', '--timeout=30s']);
    expect(kubectl(['get', '-n', 'team-e', 'wsf/hosted', '-o', 'jsonpath={.status.url}'])).toBe('wss://a.apps.example.com');
    expect(kubectl(['get', '-n', 'team-e', 'wsf/echo', '-o', 'jsonpath={.status.url}'])).toBe('wss://functions.example.com/team-e/echo');
  });
});

describe('the admin port', () => {
  const script = `
    fetch(process.argv[1], { signal: AbortSignal.timeout(3000) }).then(
      ({ status }) => { console.log(status); process.exit(); },
      ({ name, cause }) => { console.log(cause?.code ?? name); process.exit(); },
    );`;
  /** What a pod of this namespace hears of the admin port of a proxy, or a controller, where Prometheus asks. */
  function asked(namespace: string, component = 'proxy'): string {
    const address = ourPods(component)[0]?.status?.podIP;
    const securityContext = {
      runAsNonRoot: true,
      runAsUser: 1000,
      allowPrivilegeEscalation: false,
      capabilities: { drop: ['ALL'] },
      seccompProfile: { type: 'RuntimeDefault' },
    };
    const command = ['node', '-e', script, `http://${address}:9090/metrics`];
    const container = { name: 'c', image: 'localhost/node-echo:1', imagePullPolicy: 'IfNotPresent', command, securityContext };
    const pod = { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'asks' }, spec: { restartPolicy: 'Never', containers: [container] } };
    kubectl(['create', '-n', namespace, '-f', '-'], pod);
    kubectl(['wait', '-n', namespace, '--for=jsonpath={.status.phase}=Succeeded', 'pod/asks', '--timeout=60s']);
    const said = kubectl(['logs', '-n', namespace, 'asks']).trim();
    kubectl(['delete', '-n', namespace, 'pod', 'asks', '--grace-period=1']);
    return said;
  }

  it('is there for our own namespace', () => {
    expect(asked('socketpod')).toBe('200');
  });

  it.each(['proxy', 'controller'])('is there for a Prometheus in the namespace monitoring: %s', (component) => {
    expect(asked('monitoring', component)).toBe('200');
  });

  it('is not there for others', () => {
    expect(asked('team-e')).toBe('TimeoutError');
  });
});
