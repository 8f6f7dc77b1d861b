// What the runtime of pods is made with where a test does not care.
import type { KubeClient } from '../../src/kube/client.ts';
import type { PodRuntimeOptions } from '../../src/runtime/pods.ts';

/** One replica alone, in all namespaces. */
export function podRuntimeOptions(client: KubeClient, proxyId: string): PodRuntimeOptions {
  return {
    client,
    proxyId,
    namespaces: [],
    podDefaults: true,
    unschedulableGraceMs: undefined,
    sharing: () => [proxyId],
    log: () => {},
  };
}
