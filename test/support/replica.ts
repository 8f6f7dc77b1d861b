// A replica of `socketpod proxy` within the test's process, on the whole node: its runtime, its data port, and all that it says to the
// API server. Several of them share warm pods by a plain list.
import type { V1Pod } from '@kubernetes/client-node';
import type { ServedFunction } from '../../src/core/served.ts';
import { connectKube, type KubeClient } from '../../src/kube/client.ts';
import { Watch } from '../../src/kube/watch.ts';
import { PodRuntime } from '../../src/runtime/pods.ts';
import { functionObject, kubectl } from './node.ts';
import { podRuntimeOptions } from './pods.ts';
import { until } from './ports.ts';
import { served, startProxy, type TestProxy } from './proxy.ts';

/** A running replica. */
export interface Replica {
  readonly id: string;
  readonly runtime: PodRuntime;
  readonly proxy: TestProxy;
  /** Each call to the API server when it begins, as in `POST /api/v1/...`, and `101` for each connection that opens. */
  readonly log: string[];
  /** Lines of the log that an operator would see. */
  readonly lines: string[];
  url(fn: string): string;
  /** A function came or changed. */
  serve(fn: ServedFunction): void;
  stop(): Promise<void>;
}

/** Starts a replica. */
export async function startReplica(id: string, sharing: () => readonly string[], kubeconfig?: string): Promise<Replica> {
  const client = connectKube(kubeconfig);
  const log: string[] = [];
  const lines: string[] = [];
  logCalls(client, log);
  const runtime = new PodRuntime({ ...podRuntimeOptions(client, id), sharing, log: (line) => void lines.push(line) });
  await runtime.ready();
  const proxy = await startProxy(runtime, [], { observer: { opened: () => void log.push('101') } });
  return {
    id,
    runtime,
    proxy,
    log,
    lines,
    url: (fn) => `ws://127.0.0.1:${proxy.port}/${fn}`,
    serve(fn) {
      proxy.services.functions.set(fn);
      runtime.serve(fn);
    },
    async stop() {
      await proxy.stop();
      await client.close();
    },
  };
}

function logCalls(client: KubeClient, log: string[]): void {
  const call = client.call.bind(client);
  client.call = (method, path, options) => {
    log.push(`${method} ${path}`);
    return call(method, path, options);
  };
}

/** Applies a function and gives it as a replica serves it. */
export function applied(namespace: string, name: string, spec: object = {}, container: object = {}, pod: object = {}): ServedFunction {
  const answer = kubectl(['apply', '-n', namespace, '-o', 'json', '-f', '-'], functionObject(name, container, spec, pod));
  const { metadata, spec: complete } = JSON.parse(answer);
  return served(name, complete, { namespace, uid: metadata.uid, generation: metadata.generation });
}

/** An independent watch of warm pods. */
export interface WarmWatch {
  readonly pods: ReadonlyMap<string, V1Pod>;
  /** Pods that were ever there, by uid. */
  readonly ever: ReadonlyMap<string, V1Pod>;
  /** Those that wait for a connection, the oldest first, of one replica or of all. */
  warm(proxy?: string): V1Pod[];
  /** The most pods in state warm that a replica had at a time, those that are being deleted included. */
  most(proxy: string): number;
  /** Waits until there are so many, and nothing else of that function but these and `others`. */
  settles(count: number, others?: number, ms?: number): Promise<V1Pod[]>;
  none(): Promise<void>;
  stop(): Promise<void>;
}

/** Starts that watch. */
export async function watchWarm(namespace: string): Promise<WarmWatch> {
  const client = connectKube(undefined);
  const ever = new Map<string, V1Pod>();
  const mosts = new Map<string, number>();
  const labels = (pod: V1Pod) => pod.metadata?.labels ?? {};
  const inState = (proxy?: string) =>
    [...watch.objects.values()].filter(
      (pod) => labels(pod)['socketpod.dev/state'] === 'warm' && (proxy === undefined || labels(pod)['socketpod.dev/proxy'] === proxy),
    );
  const warm = (proxy?: string) =>
    inState(proxy)
      .filter(({ metadata }) => !metadata?.deletionTimestamp)
      .sort((a, b) => versionOf(a) - versionOf(b));
  const note = (pod: V1Pod) => {
    ever.set(pod.metadata?.uid ?? '', pod);
    const proxy = labels(pod)['socketpod.dev/proxy'] ?? '';
    mosts.set(proxy, Math.max(mosts.get(proxy) ?? 0, inState(proxy).length));
  };
  const watch: Watch<V1Pod> = new Watch<V1Pod>(client, {
    path: `/api/v1/namespaces/${namespace}/pods`,
    set: note,
    gone: note,
    fault: () => {},
  });
  await watch.start();
  return {
    pods: watch.objects,
    ever,
    warm,
    most: (proxy) => mosts.get(proxy) ?? 0,
    async settles(count, others = 0, ms = 60_000) {
      const there = () => `${count} warm pods and ${others} others, now ${warm().length} of ${watch.objects.size}`;
      const settled = () => warm().length === count && watch.objects.size === count + others;
      await until(`there are ${count} warm pods and ${others} others`, settled, ms).catch((error) => {
        throw new Error(`${error.message}: ${there()}`);
      });
      return warm();
    },
    none: () => until('all pods are gone', () => watch.objects.size === 0, 60_000),
    async stop() {
      watch.stop();
      await client.close();
    },
  };
}

/** When it became warm, in the API server's own time: the label was its last change. */
function versionOf({ metadata }: V1Pod): number {
  return Number(metadata?.resourceVersion);
}
