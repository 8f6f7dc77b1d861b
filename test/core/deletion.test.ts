// Whose deletion of a pod it was: ours, or that of somebody else who was first.
import { describe, expect, it } from 'vitest';
import { type EndsSeen, NOTHING_SEEN, seeEnd, whoEnded } from '../../src/core/deletion.ts';

const sent = { ...NOTHING_SEEN, sent: true };
const deletedIn = (version: bigint) => ({ after: { version, how: 'pod_deleted' } as const });
const evictedIn = (version: bigint) => ({ after: { version, how: 'pod_evicted' } as const });

describe('who ended a pod', () => {
  it.each<[string, EndsSeen, string | undefined]>([
    ['nobody so far', NOTHING_SEEN, undefined],
    ['others, and we have not', { ...NOTHING_SEEN, before: 'pod_deleted' }, 'pod_deleted'],
    ['it vanished, and we have not', { ...NOTHING_SEEN, gone: true }, 'pod_deleted'],
    ['it vanished after an eviction', { ...NOTHING_SEEN, before: 'pod_evicted', gone: true }, 'pod_evicted'],
    ['we, and nothing shows yet', sent, undefined],
    ['we', { ...sent, ...deletedIn(7n), deleteVersion: 7n }, undefined],
    ['we, and the kubelet has gone on', { ...sent, ...deletedIn(9n), deleteVersion: 7n, gone: true }, undefined],
    ['others before us, seen after our DELETE went out', { ...sent, ...deletedIn(6n), deleteVersion: 7n }, 'pod_deleted'],
    ['an eviction before us, seen after our DELETE went out', { ...sent, ...evictedIn(6n), deleteVersion: 7n }, 'pod_evicted'],
    ['a deletion shows, and our DELETE is not answered yet', { ...sent, ...deletedIn(7n) }, 'unknown'],
    // Our DELETE changes nothing where others gave no more grace than we do: its answer has the version of their deletion.
    ['others, and our DELETE changed nothing', { ...sent, before: 'pod_deleted', deleteVersion: 7n }, 'pod_deleted'],
    ['others, and our DELETE is not answered yet', { ...sent, before: 'pod_evicted' }, 'pod_evicted'],
    ['our DELETE found nothing', { ...sent, foundGone: true, gone: true }, 'pod_deleted'],
    ['our DELETE found nothing, after an eviction', { ...sent, ...evictedIn(6n), foundGone: true, gone: true }, 'pod_evicted'],
  ])('%s', (_name, seen, who) => expect(whoEnded(seen)).toBe(who));
});

describe('a state in which a pod is being ended', () => {
  it.each<[string, EndsSeen, ['pod_evicted' | 'pod_deleted', bigint], EndsSeen]>([
    ['before our DELETE', NOTHING_SEEN, ['pod_deleted', 5n], { ...NOTHING_SEEN, before: 'pod_deleted' }],
    [
      'an eviction shows first',
      { ...NOTHING_SEEN, before: 'pod_evicted' },
      ['pod_deleted', 6n],
      { ...NOTHING_SEEN, before: 'pod_evicted' },
    ],
    [
      'or last: it is the cause',
      { ...NOTHING_SEEN, before: 'pod_deleted' },
      ['pod_evicted', 6n],
      { ...NOTHING_SEEN, before: 'pod_evicted' },
    ],
    ['after our DELETE', sent, ['pod_evicted', 5n], { ...sent, ...evictedIn(5n) }],
    ['after our DELETE the first counts', { ...sent, ...deletedIn(5n) }, ['pod_deleted', 6n], { ...sent, ...deletedIn(5n) }],
  ])('%s', (_name, seen, [how, version], then) => expect(seeEnd(seen, how, version)).toEqual(then));
});
