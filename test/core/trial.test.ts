// Trial pods: what is tried, what an answer says of it, and what a status is still worth after a restart.
import { describe, expect, it } from 'vitest';
import type { Condition } from '../../src/api/types.ts';
import { isFunctionPod } from '../../src/core/pod.ts';
import { trialPod, triedBefore, triedBy } from '../../src/core/trial.ts';
import { served } from '../support/proxy.ts';

describe('the pod that is tried', () => {
  it('is that of a connection, under another name', () => {
    const pod = trialPod(served('echo'), true);
    expect(pod.metadata).toMatchObject({ name: 'echo-trial', namespace: 'test' });
    expect(pod.metadata?.labels).toMatchObject({ 'socketpod.dev/function': 'echo', 'socketpod.dev/proxy': '0000000000' });
    expect(pod.spec).toMatchObject({ restartPolicy: 'Never', securityContext: { runAsNonRoot: true } });
    expect(isFunctionPod(pod), 'the admission policy takes no other').toBe(true);
    expect(trialPod(served('echo'), false).spec?.securityContext).toBeUndefined();
  });
});

describe('an answer', () => {
  const rejected = (message: string) => ({ passed: false, message });
  it.each<[string, number, string, unknown]>([
    ['a typing error', 400, 'strict decoding error: unknown field "spec.x"', 'rejected'],
    ['Pod Security', 403, 'pods "f" is forbidden: violates PodSecurity "restricted:latest": runAsNonRoot', 'rejected'],
    ['a quota that wants limits', 403, 'pods "f" is forbidden: failed quota: q: must specify limits.cpu', 'rejected'],
    [
      'a missing service account',
      403,
      'pods "f" is forbidden: error looking up service account a/x: serviceaccount "x" not found',
      'rejected',
    ],
    ['a class that there is not', 404, 'pod rejected: RuntimeClass "gvisor" not found', 'rejected'],
    ['a field out of range', 422, 'Pod "f" is invalid: spec.containers[0].image: Required value', 'rejected'],
    ['a webhook', 400, 'admission webhook "no.example" denied the request: never', 'rejected'],
    [
      'a quota that is used up',
      403,
      'pods "f" is forbidden: exceeded quota: q, requested: pods=1, used: pods=1, limited: pods=1',
      'passed',
    ],
    [
      'a missing right',
      403,
      'pods is forbidden: User "system:serviceaccount:s:c" cannot create resource "pods" in API group "" in the namespace "a"',
      undefined,
    ],
    [
      'a namespace that goes',
      403,
      'pods "f" is forbidden: unable to create new content in namespace a because it is being terminated',
      undefined,
    ],
    ['a webhook without dry run', 400, 'admission webhook "mutate.example" does not support dry run', undefined],
    ['a webhook that is away', 500, 'Internal error occurred: failed calling webhook "x": context deadline exceeded', undefined],
    ['a name that is taken', 409, 'pods "f-trial" already exists', undefined],
    ['too many requests', 429, 'too many requests', undefined],
    ['no answer', 0, 'connect ECONNREFUSED', undefined],
    ['a timeout', 504, 'the request timed out', undefined],
  ])('of %s says what it says', (_what, status, message, says) => {
    const expected = says === 'rejected' ? rejected(message) : says === 'passed' ? { passed: true } : undefined;
    expect(triedBy({ status, message })).toEqual(expected);
  });

  it('that would create it passes', () => expect(triedBy(undefined)).toEqual({ passed: true }));
});

describe('a status', () => {
  const fn = served('echo', {}, { generation: 4 });
  const accepted = (status: 'True' | 'False', reason: string, observedGeneration: number | undefined) => {
    const condition: Condition = { type: 'Accepted', status, reason, message: 'why', lastTransitionTime: 't' };
    return { conditions: [observedGeneration === undefined ? condition : { ...condition, observedGeneration }] };
  };
  it.each<[string, Parameters<typeof triedBefore>[1], unknown]>([
    ['accepted', accepted('True', 'Accepted', 4), { passed: true }],
    ['refused', accepted('False', 'PodRejected', 4), { passed: false, message: 'why' }],
    ['refused for another reason', accepted('False', 'HostTaken', 4), undefined],
    ['of an older generation', accepted('True', 'Accepted', 3), undefined],
    ['of no generation', accepted('True', 'Accepted', undefined), undefined],
    ['that is not there', undefined, undefined],
  ])('%s is trusted for what it is', (_what, status, tried) => expect(triedBefore(fn, status)).toEqual(tried));
});
