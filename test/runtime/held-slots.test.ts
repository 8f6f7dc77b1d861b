// What is held of a function, from memory: kept up to date name by name, because each start that waits asks at every event.
import { KubeConfig, type V1Pod } from '@kubernetes/client-node';
import { describe, expect, it } from 'vitest';
import { KubeClient } from '../../src/kube/client.ts';
import { Changes, ChangesByKey } from '../../src/runtime/changes.ts';
import { HeldSlots, keyOfSlot } from '../../src/runtime/held-slots.ts';
import { OwnPod } from '../../src/runtime/own-pod.ts';
import { served } from '../support/proxy.ts';

const OWN = 'aaaaaaaaaa';
const fn = served('echo');

function pod(proxyId: string, { requestId = '', going = false }: { requestId?: string; going?: boolean } = {}): V1Pod {
  const labels = {
    'socketpod.dev/function': 'echo',
    'socketpod.dev/proxy': proxyId,
    ...(requestId ? { 'socketpod.dev/request-id': requestId } : {}),
  };
  const owner = { apiVersion: 'socketpod.dev/v1alpha1', kind: 'WebSocketFunction', name: 'echo', uid: 'u', controller: true };
  return { metadata: { labels, ownerReferences: [owner], ...(going ? { deletionTimestamp: new Date() } : {}) } };
}

function slots() {
  const watched = new Map<string, V1Pod>();
  const own = new Map<string, OwnPod | 'creating'>();
  const held = new HeldSlots({ watched, own, proxyId: OWN });
  const show = (slot: number, shown: V1Pod | undefined) => {
    const key = keyOfSlot(fn, slot);
    if (shown) watched.set(key, shown);
    else watched.delete(key);
    held.seen(key);
  };
  const set = (slot: number, now: OwnPod | 'creating' | undefined) => {
    const key = keyOfSlot(fn, slot);
    if (now) own.set(key, now);
    else own.delete(key);
    held.note(key);
  };
  const state = () => ({ taken: [...held.of(fn).taken].sort(), going: held.of(fn).going, others: [...held.ofOthers(fn).keys()] });
  return { held, show, set, state };
}

describe('slots', () => {
  it('are held by pods of anybody, by names that are reserved, and by conflicts until the watch shows what is there', () => {
    const { held, show, set, state } = slots();
    show(0, pod('bbbbbbbbbb', { requestId: 'c-1' }));
    set(1, 'creating');
    held.conflict(keyOfSlot(fn, 2));
    show(3, pod('bbbbbbbbbb'));
    show(4, pod(OWN));
    expect(state()).toEqual({ taken: [0, 1, 2, 3, 4], going: 0, others: [3] });
    show(0, pod('bbbbbbbbbb', { requestId: 'c-1', going: true }));
    show(2, undefined);
    show(3, pod('bbbbbbbbbb', { going: true }));
    expect(state()).toEqual({ taken: [0, 1, 3, 4], going: 2, others: [] });
  });

  it('of what only looks like a pod of ours are taken, and nobody asks for them', () => {
    const { show, state } = slots();
    show(0, { metadata: { labels: { 'socketpod.dev/function': 'echo', 'socketpod.dev/proxy': 'bbbbbbbbbb' } } });
    show(1, { metadata: { ...pod('bbbbbbbbbb').metadata, labels: { 'socketpod.dev/function': 'echo' } } });
    expect(state()).toEqual({ taken: [0, 1], going: 0, others: [] });
  });

  it('of an own pod are being freed from the moment in which its deletion is asked for, and free when it is gone', async () => {
    const { held, show, set, state } = slots();
    const client = new KubeClient(new KubeConfig()); // of no cluster: the deletion will not happen
    const own = new OwnPod(pod(OWN), { client, log: () => {}, deleted: () => held.note(keyOfSlot(fn, 0)) });
    set(0, own);
    show(0, own.pod);
    expect(state()).toMatchObject({ taken: [0], going: 0 });
    own.delete(false);
    expect(state()).toMatchObject({ taken: [0], going: 1 });
    own.vanish(own.pod);
    show(0, undefined);
    expect(state()).toMatchObject({ taken: [0] });
    await own.vanished;
    set(0, undefined);
    expect(state()).toMatchObject({ taken: [], going: 0 });
    await client.close();
  });

  it('are forgotten with the last pod of their function', () => {
    const { held, show, set, state } = slots();
    show(0, pod(OWN));
    set(1, 'creating');
    held.conflict(keyOfSlot(fn, 2));
    show(0, undefined);
    set(1, undefined);
    expect(held.functions).toBe(1);
    show(2, undefined);
    expect(held.functions).toBe(0);
    expect(state()).toEqual({ taken: [], going: 0, others: [] });
  });

  it('are not walked when somebody asks: a hundred thousand times of a thousand is nothing', () => {
    const { held, show } = slots();
    for (let slot = 0; slot < 1000; slot++) show(slot, pod('bbbbbbbbbb', { requestId: `c-${slot}` }));
    const begun = performance.now();
    let sum = 0;
    for (let i = 0; i < 100_000; i++) sum += held.of(fn).going + held.ofOthers(fn).size;
    expect(performance.now() - begun).toBeLessThan(2000); // 16 s if each asking walked
    expect(sum).toBe(0);
  });
});

describe('changes', () => {
  const tick = () => new Promise((resolve) => setImmediate(resolve));
  const never = new AbortController().signal;

  it('wake those who wait for this one, once however often it changes in a tick, and nobody else', async () => {
    const changes = new ChangesByKey();
    const woken: string[] = [];
    const wait = async (key: string) => {
      for (;;) {
        await changes.next(key, never);
        woken.push(key);
      }
    };
    for (const key of ['a', 'a', 'b']) void wait(key);
    for (let i = 0; i < 50; i++) changes.tell('a');
    expect(woken).toEqual([]);
    await tick();
    expect(woken).toEqual(['a', 'a']);
    changes.tell('b');
    changes.tell('nobody');
    await tick();
    expect(woken).toEqual(['a', 'a', 'b']);
    changes.tell('a');
    await tick();
    expect(woken).toEqual(['a', 'a', 'b', 'a', 'a']);
  });

  it('keep nothing of those who gave up', async () => {
    const changes = new Changes();
    const over = new AbortController();
    const waits = changes.next(over.signal);
    expect(changes.none).toBe(false);
    over.abort();
    await waits;
    expect(changes.none).toBe(true);
  });
});
