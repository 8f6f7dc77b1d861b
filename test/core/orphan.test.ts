import type { V1Pod } from '@kubernetes/client-node';
import { describe, expect, it } from 'vitest';
import { orphanGrace, ownerOf } from '../../src/core/orphan.ts';
import { podFor } from '../../src/core/pod.ts';
import { served } from '../support/proxy.ts';

const ours = (): V1Pod => podFor(served(), { slot: 0, proxyId: 'aaaaaaaaaa', requestId: 'r', defaults: true });
const ran = { containerStatuses: [{ name: 'f', ready: true, restartCount: 0, image: '', imageID: '', state: { running: {} } }] };
const waits = { containerStatuses: [{ ...ran.containerStatuses[0], state: { waiting: {} } }] } as unknown as typeof ran;
/** Text on the wire, where the type says Date. */
const deletionTimestamp = '2026-01-01T00:00:00Z' as unknown as Date;

describe('a pod belongs to a proxy', () => {
  it.each<[string, string | undefined, (pod: V1Pod) => unknown]>([
    ['as it was made', 'aaaaaaaaaa', () => {}],
    ['not without the label of a proxy', undefined, ({ metadata }) => delete metadata?.labels?.['socketpod.dev/proxy']],
    ['not without that of a function', undefined, ({ metadata }) => delete metadata?.labels?.['socketpod.dev/function']],
    ['not without an owner', undefined, ({ metadata }) => delete metadata?.ownerReferences],
    ['not of another kind of owner', undefined, ({ metadata }) => Object.assign(metadata?.ownerReferences?.[0] ?? {}, { kind: 'Job' })],
  ])('%s', (_what, owner, change) => {
    const pod = ours();
    change(pod);
    expect(ownerOf(pod)).toBe(owner);
  });
});

describe('an orphan', () => {
  it.each<[string, number | undefined, Partial<V1Pod['metadata']>, V1Pod['status'], number | undefined]>([
    ['that runs has 5 s', 5, {}, ran, undefined],
    ['whose template says less has less', 2, {}, ran, 2],
    ['whose template says more has 5 s', 5, {}, ran, 3600],
    ['that never ran has none', 0, {}, waits, 30],
    ['of which nothing is known has none', 0, {}, undefined, 30],
    ['that is going already is left alone', undefined, { deletionTimestamp, deletionGracePeriodSeconds: 5 }, ran, 30],
    ['that has begun an hour of grace is hurried', 5, { deletionTimestamp, deletionGracePeriodSeconds: 3600 }, ran, 3600],
  ])('%s', (_what, grace, metadata, status, terminationGracePeriodSeconds) => {
    const pod = ours();
    Object.assign(pod.metadata ?? {}, metadata);
    if (status) pod.status = status;
    if (pod.spec && terminationGracePeriodSeconds !== undefined) pod.spec.terminationGracePeriodSeconds = terminationGracePeriodSeconds;
    expect(orphanGrace(pod)).toBe(grace);
  });
});
