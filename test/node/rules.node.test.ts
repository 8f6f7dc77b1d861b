// What the API server refuses by the rules of a namespace (rows 18 to 20 of the measured table): quotas, limits, Pod Security, webhooks.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { functionObject, installCrd, kubectl, makeNamespace, type NodeProxy, openSocket, startNodeProxy } from '../support/node.ts';
import { until } from '../support/ports.ts';

const NAMESPACE = 'webhook';
let proxy: NodeProxy;

beforeAll(async () => {
  await installCrd();
  proxy = await startNodeProxy();
}, 60_000);

afterAll(async () => {
  expect(await proxy?.stop()).toBe(0);
});

describe('18 to 20: the rules of a namespace', () => {
  it.each<[string, object[], string[], object, [number, number, string]]>([
    [
      'quota',
      [{ apiVersion: 'v1', kind: 'ResourceQuota', metadata: { name: 'q' }, spec: { hard: { pods: '0' } } }],
      [],
      {},
      [429, 432, 'quota_exceeded'],
    ],
    [
      'limits',
      [
        {
          apiVersion: 'v1',
          kind: 'LimitRange',
          metadata: { name: 'l' },
          spec: { limits: [{ type: 'Container', max: { memory: '64Mi' }, default: { memory: '32Mi' } }] },
        },
      ],
      [],
      { resources: { limits: { memory: '1Gi' } } },
      [502, 445, 'pod_rejected'],
    ],
    [
      'required',
      [{ apiVersion: 'v1', kind: 'ResourceQuota', metadata: { name: 'q' }, spec: { hard: { 'limits.memory': '1Gi' } } }],
      [],
      {},
      [502, 445, 'pod_rejected'],
    ],
    [
      'restricted',
      [],
      ['pod-security.kubernetes.io/enforce=restricted'],
      { securityContext: { privileged: true, allowPrivilegeEscalation: true } },
      [502, 445, 'pod_rejected'],
    ],
    ['restricted-good', [], ['pod-security.kubernetes.io/enforce=restricted'], {}, [101, 200, 'normal_closure']],
  ])('%s', async (name, objects, labels, container, [status, code, reason]) => {
    await makeNamespace(name);
    if (labels.length > 0) kubectl(['label', 'namespace', name, ...labels]);
    for (const object of objects) kubectl(['create', '-n', name, '-f', '-'], object);
    if (name === 'quota' || name === 'required') {
      await until('the quota is counted', () => kubectl(['get', 'quota', '-n', name, '-o', 'jsonpath={.items[*].status.hard}']) !== '');
    }
    kubectl(['apply', '-n', name, '-f', '-'], functionObject('f', container));
    await proxy.serves(`${name}/f`);
    const opened = await openSocket(`ws://127.0.0.1:${proxy.port}/${name}/f`);
    if ('socket' in opened) opened.socket.close(1000);
    else expect([opened.status, opened.code]).toEqual([status, code]);
    expect(await proxy.end(`${name}/f`)).toMatchObject({ code, reason, httpStatus: status });
  });

  it('a webhook that is down is a fault of the platform', async () => {
    const webhook = {
      apiVersion: 'admissionregistration.k8s.io/v1',
      kind: 'ValidatingWebhookConfiguration',
      metadata: { name: 'down' },
      webhooks: [
        {
          name: 'down.example.com',
          clientConfig: { url: 'https://127.0.0.1:1/' },
          rules: [{ apiGroups: [''], apiVersions: ['v1'], operations: ['CREATE'], resources: ['pods'] }],
          namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': NAMESPACE } },
          admissionReviewVersions: ['v1'],
          sideEffects: 'None',
        },
      ],
    };
    await makeNamespace(NAMESPACE);
    kubectl(['apply', '-n', NAMESPACE, '-f', '-'], functionObject('fn', {}));
    await proxy.serves(`${NAMESPACE}/fn`);
    kubectl(['create', '-f', '-'], webhook);
    let count = 0;
    try {
      await until(
        'the webhook is called',
        async () => {
          const opened = await openSocket(`ws://127.0.0.1:${proxy.port}/${NAMESPACE}/fn`);
          count++;
          if ('socket' in opened) opened.socket.close(1000);
          return 'status' in opened && opened.status === 503 && opened.code === 500;
        },
        30_000,
      );
      expect((await proxy.end(`${NAMESPACE}/fn`, count)).reason).toBe('api_unavailable');
    } finally {
      kubectl(['delete', 'validatingwebhookconfiguration', 'down']);
    }
  });

  it('a namespace that is being deleted takes no pods', async () => {
    kubectl(['create', 'namespace', 'going']);
    kubectl(['apply', '-n', 'going', '-f', '-'], { ...functionObject('f', {}), metadata: { name: 'f', finalizers: ['example.com/wait'] } });
    await proxy.serves('going/f');
    kubectl(['delete', 'namespace', 'going', '--wait=false']);
    await until('the pod is rejected', async () => {
      const opened = await openSocket(`ws://127.0.0.1:${proxy.port}/going/f`);
      if ('socket' in opened) opened.socket.close(1000);
      return 'status' in opened && opened.status === 502 && opened.code === 445;
    });
    kubectl(['patch', 'wsf', '-n', 'going', 'f', '--type=merge', '-p', '{"metadata":{"finalizers":null}}']);
  });
});
