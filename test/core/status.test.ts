// The status of a function: what is counted, its address, and whether there is anything to write.
import type { V1Pod } from '@kubernetes/client-node';
import { describe, expect, it } from 'vitest';
import type { Condition, WebSocketFunctionStatus } from '../../src/api/types.ts';
import { countPods, differenceOf, type StatusFacts, statusOf } from '../../src/core/status.ts';
import { served } from '../support/proxy.ts';

const OWNER = { apiVersion: 'socketpod.dev/v1alpha1', kind: 'WebSocketFunction', name: 'f', uid: 'u', controller: true };

function pod(state: string, { going = false, running = true, ours = true } = {}): V1Pod {
  const labels = { 'socketpod.dev/function': 'f', 'socketpod.dev/proxy': 'aaaaaaaaaa', 'socketpod.dev/state': state };
  return {
    metadata: { labels, ...(ours ? { ownerReferences: [OWNER] } : {}), ...(going ? { deletionTimestamp: new Date() } : {}) },
    spec: { containers: [{ name: 'f' }] },
    status: { podIP: '10.0.0.1', containerStatuses: running ? [{ name: 'f', state: { running: {} } } as never] : [] },
  };
}

describe('pods', () => {
  it('are counted by their state, those that go, and those of others, not at all', () => {
    const pods = [
      ...[pod('connected'), pod('connected'), pod('connected', { going: true }), pod('starting', { running: false })],
      ...[pod('warm'), pod('warm', { running: false }), pod('warm', { going: true }), pod('other')],
      ...['connected', 'starting', 'warm'].map((state) => pod(state, { ours: false })),
    ];
    expect(countPods(pods)).toEqual({ open: 2, starting: 1, warm: 2, warmReady: 1 });
  });
});

const CONDITION: Condition = {
  type: 'Ready',
  status: 'True',
  reason: 'Ready',
  message: 'm',
  observedGeneration: 3,
  lastTransitionTime: 't',
};

function status(part: Partial<StatusFacts> = {}): WebSocketFunctionStatus {
  const counts = { open: 1, starting: 2, warm: 3, warmReady: 3 };
  return statusOf({ fn: served('echo'), hosts: [], counts, conditions: [CONDITION], publicUrl: 'wss://f.example:8443', ...part });
}

describe('a status', () => {
  it('has all that the columns and the scale subresource show', () => {
    expect(status()).toEqual({
      observedGeneration: 3,
      url: 'wss://f.example:8443/test/echo',
      hosts: [],
      openConnections: 1,
      startingPods: 2,
      warmPods: 3,
      selector: 'socketpod.dev/function=echo,socketpod.dev/state=warm',
      conditions: [CONDITION],
    });
  });

  const route = { hosts: ['*.a.example', 'a.example', 'b.example'], paths: ['/p', '/q'] };
  it.each([
    ['its first exact host', ['*.a.example', 'a.example', 'b.example'], 'wss://f.example:8443', 'wss://a.example:8443/p'],
    ['only a host that it holds', ['b.example'], 'ws://f.example', 'ws://b.example/p'],
    ['a wildcard where it has nothing else', ['*.a.example'], 'wss://f.example', 'wss://*.a.example/p'],
    ['a host of its own without --public-url', ['a.example'], undefined, 'wss://a.example/p'],
    ['nothing while it holds nothing', [], 'wss://f.example', ''],
  ])('gives as the address %s', (_what, hosts, publicUrl, url) => {
    const told = status({ fn: served('echo', { route }), hosts, publicUrl });
    expect([told.url, told.hosts]).toEqual([url, hosts]);
  });

  it('has no address where the operator has not said what clients use', () => expect(status({ publicUrl: undefined }).url).toBe(''));
});

describe('two statuses', () => {
  const before = status();
  const counts = { open: 9, starting: 2, warm: 3, warmReady: 3 };
  it.each<[string, Partial<StatusFacts>, string]>([
    ['nothing', {}, 'none'],
    ['a count', { counts }, 'counts'],
    ['a message', { conditions: [{ ...CONDITION, message: 'n' }] }, 'counts'],
    ['a reason', { conditions: [{ ...CONDITION, reason: 'NoProxy' }] }, 'state'],
    ['a generation', { conditions: [{ ...CONDITION, observedGeneration: 4 }] }, 'state'],
    ['a condition', { conditions: [CONDITION, { ...CONDITION, type: 'WarmPodsReady' }] }, 'state'],
    ['hosts', { hosts: ['a.example'] }, 'state'],
    ['the address', { publicUrl: 'ws://f.example' }, 'state'],
  ])('that differ in %s', (_what, part, difference) => expect(differenceOf(before, status(part))).toBe(difference));

  it('differ where there was none, and not by the order of what the API server stores', () => {
    expect(differenceOf(undefined, before)).toBe('state');
    const two = [CONDITION, { ...CONDITION, type: 'Accepted' }];
    expect(differenceOf(status({ conditions: two }), status({ conditions: two.toReversed() }))).toBe('none');
    const { hosts: _none, ...without } = before;
    expect(differenceOf(without, before)).toBe('none');
  });
});
