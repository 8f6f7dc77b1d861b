// The pod of a connection: what the contract fixes, what the author decides, and the defaults under both.
import { describe, expect, it } from 'vitest';
import { podFor, templateHash } from '../../src/core/pod.ts';
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
