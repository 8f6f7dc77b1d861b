// How long the image takes to serve: pods as the Deployment of the proxies makes them, one after another.
import type { V1Pod } from '@kubernetes/client-node';
import { connectKube } from '../../src/kube/client.ts';
import { createPod, deletePod } from '../../src/kube/pods.ts';
import { kubectl, watchPods } from '../support/node.ts';
import { until } from '../support/ports.ts';

/** Starts so many pods. @returns for each the ms from its create to the first 200 of /readyz */
export async function startsToReady(count: number): Promise<number[]> {
  const { template } = JSON.parse(kubectl(['get', 'deployment', '-n', 'socketpod', 'socketpod-proxy', '-o', 'json'])).spec;
  const client = connectKube(process.env.KUBECONFIG);
  const watch = await watchPods('socketpod');
  const times: number[] = [];
  for (let i = 0; i < count; i++) {
    const name = `start-${i}`;
    const begun = performance.now();
    const pod = await createPod(client, { metadata: { name, namespace: 'socketpod' }, spec: template.spec } as V1Pod);
    await until(`${name} is ready`, () => isReady(watch.pods.get(`socketpod/${name}`)?.status?.podIP), 60_000);
    times.push(performance.now() - begun);
    await deletePod(client, pod, 0);
    await until(`${name} is gone`, () => !watch.pods.has(`socketpod/${name}`), 60_000);
  }
  await watch.stop();
  await client.close();
  return times;
}

async function isReady(address: string | undefined): Promise<boolean> {
  if (address === undefined) return false;
  try {
    return (await fetch(`http://${address}:9090/readyz`)).ok;
  } catch {
    return false; // not yet
  }
}
