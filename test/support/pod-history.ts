// An independent watch that counts: how many pod objects each function had at any moment, and what became of each pod. It sees every
// change in the order in which the API server made it.
import type { V1Pod } from '@kubernetes/client-node';
import { connectKube } from '../../src/kube/client.ts';
import { Watch } from '../../src/kube/watch.ts';
import { until } from './ports.ts';

const LABEL = 'socketpod.dev/';

/** The life of one pod object. */
export interface PodLife {
  readonly uid: string;
  readonly name: string;
  readonly function: string;
  readonly proxy: string;
  readonly template: string;
  readonly image: string;
  /** The newest state of it. */
  pod: V1Pod;
  readonly requestIds: Set<string>;
  address: string;
  /** ms of performance.now(). */
  readonly seenAt: number;
  deletedAt?: number;
  goneAt?: number;
}

/** What the watch has seen of one namespace. */
export interface PodHistory {
  /** All pods that ever were, by uid. */
  readonly lives: ReadonlyMap<string, PodLife>;
  /** The pods that are there. */
  now(fn?: string): PodLife[];
  /** The most pod objects that a function had at a time since the last call of `forgetMost`. */
  most(fn: string): number;
  /** The most pods that a proxy had at a time which were for nobody yet, made or being made, and not yet told to go. */
  mostUnused(proxy: string): number;
  forgetMost(): void;
  none(ms?: number): Promise<void>;
  stop(): Promise<void>;
}

/** Is a pod of this function in this state? `going` once its deletion was asked for. */
export function stateOf({ pod }: PodLife): string {
  return pod.metadata?.deletionTimestamp ? 'going' : (pod.metadata?.labels?.[`${LABEL}state`] ?? '');
}

/** Starts the watch of a namespace's function pods. */
export async function watchHistory(namespace: string): Promise<PodHistory> {
  const client = connectKube(process.env.KUBECONFIG);
  const lives = new Map<string, PodLife>();
  const there = new Map<string, PodLife>();
  const mosts = new Map<string, number>();
  const unused = new Map<string, number>();
  const countOf = (fn: string) => [...there.values()].filter((life) => life.function === fn).length;
  const count = (fn: string) => mosts.set(fn, Math.max(mosts.get(fn) ?? 0, countOf(fn)));
  const set = (pod: V1Pod) => {
    const { uid = '', labels = {} } = pod.metadata ?? {};
    const life = lives.get(uid) ?? lifeOf(pod);
    life.pod = pod;
    life.address = pod.status?.podIP ?? life.address;
    const id = labels[`${LABEL}request-id`];
    if (id) life.requestIds.add(id);
    if (pod.metadata?.deletionTimestamp) life.deletedAt ??= performance.now();
    if (!lives.has(uid)) {
      lives.set(uid, life);
      there.set(uid, life);
      count(life.function);
    }
    const idle = [...there.values()].filter((one) => one.proxy === life.proxy && one.requestIds.size === 0 && stateOf(one) !== 'going');
    unused.set(life.proxy, Math.max(unused.get(life.proxy) ?? 0, idle.length));
  };
  const gone = (pod: V1Pod) => {
    const life = lives.get(pod.metadata?.uid ?? '');
    if (life) life.goneAt = performance.now();
    there.delete(pod.metadata?.uid ?? '');
  };
  const query = { labelSelector: `${LABEL}function` };
  const watch = new Watch<V1Pod>(client, { path: `/api/v1/namespaces/${namespace}/pods`, query, set, gone, fault: () => {} });
  await watch.start();
  return {
    lives,
    now: (fn) => [...there.values()].filter((life) => fn === undefined || life.function === fn),
    most: (fn) => mosts.get(fn) ?? 0,
    mostUnused: (proxy) => unused.get(proxy) ?? 0,
    forgetMost() {
      mosts.clear();
      unused.clear();
      for (const life of there.values()) count(life.function);
    },
    none: (ms = 30_000) => until('all pods are gone', () => there.size === 0, ms),
    async stop() {
      watch.stop();
      await client.close();
    },
  };
}

function lifeOf(pod: V1Pod): PodLife {
  const { uid = '', name = '', labels = {} } = pod.metadata ?? {};
  return {
    uid,
    name,
    function: labels[`${LABEL}function`] ?? '',
    proxy: labels[`${LABEL}proxy`] ?? '',
    template: labels[`${LABEL}template`] ?? '',
    image: pod.spec?.containers[0]?.image ?? '',
    pod,
    requestIds: new Set(),
    address: '',
    seenAt: performance.now(),
  };
}
