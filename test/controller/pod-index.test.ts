// The ports of a namespace's pods, as they come, change hands and go.
import { expect, it } from 'vitest';
import { PodIndex } from '../../src/controller/pod-index.ts';
import { podFor } from '../../src/core/pod.ts';
import { served } from '../support/proxy.ts';

const pod = (slot: number, port: number) =>
  podFor(served('echo', { port }), { slot, proxyId: 'aaaaaaaaaa', requestId: undefined, defaults: true });

it('tells of each port that a namespace gains or loses, and of nothing else', () => {
  const told: string[] = [];
  const index = new PodIndex((namespace) => told.push(`${namespace} ${[...index.ports('test')]}`));
  index.seen(pod(0, 9000));
  index.seen(pod(0, 9000));
  index.seen(pod(1, 9000));
  index.seen({ ...pod(2, 7000), metadata: { ...pod(2, 7000).metadata, ownerReferences: [] } });
  expect(told).toEqual(['test 9000']);
  index.gone(pod(1, 9000));
  index.gone(pod(1, 9000));
  expect([...index.ports('test')]).toEqual([9000]);
  index.seen(pod(0, 8080)); // another pod in its slot
  index.seen(pod(1, 8080));
  expect([...index.namespaces()]).toEqual(['test']);
  index.gone(pod(0, 8080));
  index.gone(pod(1, 8080));
  expect(told).toEqual(['test 9000', 'test 8080', 'test ']);
  expect([...index.namespaces()]).toEqual([]);
});
