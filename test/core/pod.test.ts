// The pod of a connection: what the contract fixes, what the author decides, and the defaults under both.
import { describe, expect, it } from 'vitest';
import { connectedPatch, functionOf, isFunctionPod, isWarmPod, podFor, portOf, shownOf, templateHash } from '../../src/core/pod.ts';
import { hostAddresses } from '../../src/core/pod-status.ts';
import { served, spec } from '../support/proxy.ts';

const PURPOSE = { slot: 3, proxyId: '0123456789', requestId: 'id-1', defaults: true };

describe('podFor', () => {
  it('makes a pod with names, labels, owner and deadline of the contract, and restricted defaults', () => {
    const fn = served('echo', {
      template: { spec: { containers: [{ name: 'f', image: 'x' }], initContainers: [{ name: 'i', image: 'y' }] } },
    });
    const pod = podFor(fn, PURPOSE);
    expect(pod.metadata).toMatchObject({
      name: 'echo-slot-3',
      namespace: 'test',
      labels: {
        'socketpod.dev/function': 'echo',
        'socketpod.dev/proxy': '0123456789',
        'socketpod.dev/state': 'starting',
        'socketpod.dev/template': templateHash(fn),
        'socketpod.dev/request-id': 'id-1',
      },
      ownerReferences: [{ kind: 'WebSocketFunction', name: 'echo', uid: fn.uid, controller: true, blockOwnerDeletion: false }],
    });
    expect(pod.spec).toMatchObject({
      restartPolicy: 'Never',
      automountServiceAccountToken: false,
      enableServiceLinks: false,
      terminationGracePeriodSeconds: 5,
      activeDeadlineSeconds: 90 + 7200 + 60,
      securityContext: { runAsNonRoot: true, seccompProfile: { type: 'RuntimeDefault' } },
    });
    for (const container of [...(pod.spec?.containers ?? []), ...(pod.spec?.initContainers ?? [])]) {
      expect(container.securityContext).toEqual({ allowPrivilegeEscalation: false, capabilities: { drop: ['ALL'] }, runAsUser: 1000 });
    }
    const [first] = pod.spec?.containers ?? [];
    expect(first?.terminationMessagePolicy).toBe('FallbackToLogsOnError');
    expect(first?.env).toEqual([
      { name: 'PORT', value: '9000' },
      { name: 'SOCKETPOD_FUNCTION', value: 'echo' },
      { name: 'SOCKETPOD_NAMESPACE', value: 'test' },
    ]);
  });

  it('lets the author decide everything else', () => {
    const template = {
      metadata: { labels: { app: 'x' }, annotations: { a: 'b', 'cluster-autoscaler.kubernetes.io/safe-to-evict': 'true' } },
      spec: {
        terminationGracePeriodSeconds: 30,
        automountServiceAccountToken: true,
        nodeSelector: { gpu: 'yes' },
        securityContext: { runAsUser: 7, runAsNonRoot: false },
        containers: [
          {
            name: 'f',
            env: [{ name: 'A', value: '1' }],
            securityContext: { capabilities: { add: ['NET_ADMIN'] } },
            terminationMessagePolicy: 'File',
          },
          { name: 'side', securityContext: { runAsUser: 9 } },
        ],
      },
    };
    const pod = podFor(served('echo', { template }), PURPOSE);
    expect(pod.metadata?.labels?.app).toBe('x');
    expect(pod.metadata?.annotations).toEqual(template.metadata.annotations);
    expect(pod.spec).toMatchObject({ terminationGracePeriodSeconds: 30, automountServiceAccountToken: true, nodeSelector: { gpu: 'yes' } });
    expect(pod.spec?.securityContext).toMatchObject({ runAsUser: 7, runAsNonRoot: false });
    const [first, side] = pod.spec?.containers ?? [];
    expect(first?.securityContext).toEqual({ allowPrivilegeEscalation: false, capabilities: { add: ['NET_ADMIN'] } }); // the pod's user holds
    expect(first?.terminationMessagePolicy).toBe('File');
    expect(first?.env?.[0]).toEqual({ name: 'A', value: '1' });
    expect(side?.securityContext?.runAsUser).toBe(9);
  });
});

describe('a warm pod', () => {
  const purpose = { ...PURPOSE, requestId: undefined };

  it('has no request id, no deadline and may be evicted, until its connection has opened', () => {
    const fn = served('echo', { initTimeoutSeconds: 10, executionTimeoutSeconds: 100 });
    const pod = JSON.parse(JSON.stringify(podFor(fn, purpose)));
    expect(pod.metadata.labels).not.toHaveProperty(['socketpod.dev/request-id']);
    expect(pod.metadata.annotations).toEqual({});
    expect(pod.spec).not.toHaveProperty('activeDeadlineSeconds');
    expect([isWarmPod(pod), isWarmPod(podFor(fn, PURPOSE))]).toEqual([true, false]);
    const startTime = '2026-01-01T00:00:00Z';
    const patch = (age: number) =>
      connectedPatch(fn, { ...pod, status: { startTime } as object }, 'id-2', new Date(startTime).getTime() + age);
    expect(patch(4500)).toEqual({
      metadata: {
        labels: { 'socketpod.dev/state': 'connected', 'socketpod.dev/request-id': 'id-2' },
        annotations: { 'cluster-autoscaler.kubernetes.io/safe-to-evict': 'false' },
      },
      spec: { activeDeadlineSeconds: 10 + 100 + 60 + 5 },
    });
    expect(patch(-4500).spec, 'the clock of the node is ahead').toEqual({ activeDeadlineSeconds: 170 });
    expect(connectedPatch(fn, pod, 'id-2', 0).spec, 'not started, as far as is known').toEqual({ activeDeadlineSeconds: 170 });
  });

  it('keeps what its author says about eviction', () => {
    const annotations = { 'cluster-autoscaler.kubernetes.io/safe-to-evict': 'true' };
    const fn = served('echo', { template: { metadata: { annotations }, spec: { containers: [{ name: 'f' }] } } });
    expect(connectedPatch(fn, podFor(fn, purpose), 'id-2', 0).metadata.annotations).toBeUndefined();
  });

  it('and one that was made for its connection differ in nothing else', () => {
    const fn = served();
    const cold = podFor(fn, PURPOSE);
    expect(connectedPatch(fn, cold, 'id-1', 0)).toEqual({
      metadata: { labels: { 'socketpod.dev/state': 'connected', 'socketpod.dev/request-id': 'id-1' } },
    });
    expect({ ...podFor(fn, purpose).spec, activeDeadlineSeconds: 0 }).toEqual({ ...cold.spec, activeDeadlineSeconds: 0 });
  });
});

describe('without the restricted defaults', () => {
  it('a pod is what its template says, but for what the contract needs', () => {
    const fn = served('echo', {
      template: { spec: { containers: [{ name: 'f', image: 'x' }], initContainers: [{ name: 'i', image: 'y' }] } },
    });
    const { spec } = podFor(fn, { ...PURPOSE, defaults: false });
    expect(spec).not.toHaveProperty('securityContext');
    for (const container of [...(spec?.containers ?? []), ...(spec?.initContainers ?? [])])
      expect(container).not.toHaveProperty('securityContext');
    expect(spec).toMatchObject({ restartPolicy: 'Never', automountServiceAccountToken: false });
    const own = { runAsUser: 7 };
    const written = served('echo', { template: { spec: { securityContext: own, containers: [{ name: 'f', securityContext: own }] } } });
    const kept = podFor(written, { ...PURPOSE, defaults: false }).spec;
    expect([kept?.securityContext, kept?.containers[0]?.securityContext]).toEqual([own, own]);
  });
});

describe('the port of a pod', () => {
  const env = [{ name: 'PORT', value: '1' }];
  const made = podFor(served('echo', { port: 9001, template: { spec: { containers: [{ name: 'f', env }] } } }), PURPOSE);
  it('is what its function listens on, whatever its author or an injector wrote', () => {
    expect(portOf(made)).toBe(9001);
    expect(portOf({ ...made, spec: { containers: [{ name: 'injected', env }, ...(made.spec?.containers ?? [])] } })).toBe(9001);
  });

  it('is unknown where the pod is none of ours', () => {
    expect(portOf({ ...made, metadata: { ...made.metadata, ownerReferences: [] } })).toBeUndefined();
    expect(portOf({ ...made, spec: { containers: [] } })).toBeUndefined();
  });
});

describe('templateHash', () => {
  it('is the same for what makes the same pod, and differs with template and port', () => {
    const hash = (part = {}) => templateHash(served('echo', part));
    expect(hash()).toBe(hash({ idleTimeoutSeconds: 11 }));
    expect(hash()).not.toBe(hash({ port: 80 }));
    expect(hash()).not.toBe(hash({ template: { spec: { containers: [{ name: 'other' }] } } }));
    expect(hash()).toMatch(/^[0-9a-f]{16}$/);
    expect(spec().port).toBe(9000);
  });
});

describe('what is kept of the pods of others', () => {
  it.each([
    ['a warm one', undefined, undefined],
    ['one with a connection', 'id-1', undefined],
    ['one that goes', 'id-1', new Date(0)],
  ])('answers all that is asked of it: %s', (_what, requestId, deletionTimestamp) => {
    const made = podFor(served('echo'), { ...PURPOSE, requestId });
    const metadata = { ...made.metadata, uid: 'u', resourceVersion: '7', ...(deletionTimestamp && { deletionTimestamp }) };
    const pod = { ...made, metadata, status: { hostIP: '10.0.0.1', hostIPs: [{ ip: '10.0.0.1' }, { ip: 'fd00::1' }], podIP: '10.1.0.1' } };
    const shown = shownOf(pod);
    const { namespace, name, uid, resourceVersion, labels, ownerReferences } = metadata;
    expect(shown.metadata).toEqual({ namespace, name, uid, resourceVersion, labels, ownerReferences, deletionTimestamp });
    for (const ask of [functionOf, isFunctionPod, isWarmPod, hostAddresses]) expect(ask(shown)).toEqual(ask(pod));
    expect(JSON.stringify(shown).length).toBeLessThan(JSON.stringify(pod).length / 2);
  });
});
