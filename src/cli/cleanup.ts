// `socketpod cleanup`: what helm uninstall runs first. Ends proxies and controllers, and then deletes what they would have deleted:
// their roles go with the release, while a drain takes a quarter of an hour. The functions themselves stay.
import { setTimeout as sleep } from 'node:timers/promises';
import type { KubernetesObject, V1Pod } from '@kubernetes/client-node';
import { LABEL_FUNCTION, LABEL_LEASE, LABEL_MANAGED_BY, MANAGED_BY_CONTROLLER } from '../api/names.ts';
import { isFunctionPod } from '../core/pod.ts';
import { UserError } from '../fault.ts';
import { connectKube, type KubeClient, KubeError } from '../kube/client.ts';
import { type Collection, deleteObject, listObjects, scaleDeployment } from '../kube/objects.ts';
import { deletePod } from '../kube/pods.ts';
import type { Namespaces } from '../kube/watches.ts';

/** Between two looks at what is left (ms). */
const LOOK_MS = 500;
/** Calls at a time. */
const AT_ONCE = 16;

/** The options of `cleanup`, as config.ts reads them. */
export interface CleanupOptions {
  readonly kubeconfig?: string;
  readonly namespace: Namespaces;
  readonly ownNamespace?: string;
  /** Name of the release of helm. */
  readonly release: string;
  /** Seconds. */
  readonly grace: number;
  readonly timeout: number;
}

/** Cleans up, and tells each step in a line. Throws a UserError with what is left when the time is over, or what it may not do. */
export async function cleanup(options: CleanupOptions, out: { write(text: string): unknown }): Promise<void> {
  const client = connectKube(options.kubeconfig);
  const ends = performance.now() + options.timeout * 1000;
  const say = (line: string) => void out.write(`${line}\n`);
  try {
    await end(client, options, ends, say);
  } catch (error) {
    if (!(error instanceof KubeError)) throw error;
    throw new UserError(`the API server ${client.server} refused a step: ${error.message}`);
  } finally {
    await client.close();
  }
}

async function end(client: KubeClient, options: CleanupOptions, ends: number, say: (line: string) => void): Promise<void> {
  const own = options.ownNamespace ?? client.namespace;
  const ours = `app.kubernetes.io/instance=${options.release},app.kubernetes.io/component in (proxy,controller)`;
  const deployments = { base: '/apis/apps/v1', resource: 'deployments', namespace: own, labelSelector: ours };
  for (const { metadata } of await listObjects(client, deployments)) {
    await scaleDeployment(client, own, metadata?.name ?? '', 0);
    say(`${metadata?.name} is scaled to 0`);
  }
  const everywhere = (kind: Pick<Collection, 'base' | 'resource' | 'labelSelector'>): Collection[] =>
    options.namespace.length === 0 ? [kind] : options.namespace.map((namespace) => ({ ...kind, namespace }));
  const pods = { base: '/api/v1', resource: 'pods' };

  const ended = { processes: new Set<string>(), functions: new Set<string>() };
  for (;;) {
    const processes = await listObjects<V1Pod>(client, { ...pods, namespace: own, labelSelector: ours });
    const found = await Promise.all(everywhere({ ...pods, labelSelector: LABEL_FUNCTION }).map((one) => listObjects<V1Pod>(client, one)));
    const functions = found.flat().filter(isFunctionPod);
    const left = [...processes, ...functions];
    if (left.length === 0) break;
    if (performance.now() > ends) throw new UserError(`the time is over, and there are still ${left.map(nameOf).join(', ')}`);
    // Together: proxies drain as long as they have connections, and these end with their pods, by a close frame. Until a proxy
    // notices its end it may still start pods; the next look finds them.
    await endPods(client, processes, ended.processes, options.grace);
    await endPods(client, functions, ended.functions, options.grace);
    await sleep(LOOK_MS);
  }
  say(`proxies and controllers are gone: ${ended.processes.size}`);
  say(`pods of functions are gone: ${ended.functions.size}`);
  const leases = { base: '/apis/coordination.k8s.io/v1', resource: 'leases', namespace: own, labelSelector: LABEL_LEASE };
  say(`Leases are deleted: ${await deleteAll(client, [leases])}`);
  const policies = {
    base: '/apis/networking.k8s.io/v1',
    resource: 'networkpolicies',
    labelSelector: `${LABEL_MANAGED_BY}=${MANAGED_BY_CONTROLLER}`,
  };
  say(`NetworkPolicies of the controller are deleted: ${await deleteAll(client, everywhere(policies))}`);
}

/** Deletes those that were not deleted yet, with a short grace: some that end already have a longer one. */
async function endPods(client: KubeClient, pods: readonly V1Pod[], ended: Set<string>, grace: number): Promise<void> {
  await eachOf(
    pods.filter(({ metadata }) => !ended.has(metadata?.uid ?? '')),
    async (pod) => {
      await deletePod(client, pod, grace);
      ended.add(pod.metadata?.uid ?? '');
    },
  );
}

/** Deletes all of these. @returns how many */
async function deleteAll(client: KubeClient, where: readonly Collection[]): Promise<number> {
  let count = 0;
  for (const collection of where) {
    const found = await listObjects(client, collection);
    await eachOf(found, (object) => deleteObject(client, collection, object));
    count += found.length;
  }
  return count;
}

async function eachOf<T>(items: readonly T[], act: (item: T) => Promise<void>): Promise<void> {
  const rest = [...items];
  const worker = async () => {
    for (let item = rest.pop(); item !== undefined; item = rest.pop()) await act(item);
  };
  await Promise.all(Array.from({ length: AT_ONCE }, worker));
}

function nameOf({ metadata }: KubernetesObject): string {
  return `${metadata?.namespace}/${metadata?.name}`;
}
