// Pods that outlived their proxy: which ones are looked at, and how they are deleted.
import type { V1Pod } from '@kubernetes/client-node';
import { LABEL_PROXY } from '../api/names.ts';
import { isFunctionPod } from './pod.ts';
import { everRan } from './pod-status.ts';

/** Longest grace of an orphan, in seconds: nobody waits for what it has to say. */
const GRACE_SECONDS = 5;

/** The id of the proxy to which this pod belongs; undefined: it is none of ours, and nobody of us may touch it. */
export function ownerOf(pod: V1Pod): string | undefined {
  return isFunctionPod(pod) ? pod.metadata?.labels?.[LABEL_PROXY] : undefined;
}

/** With which grace an orphan is to be deleted, in seconds; undefined: it is already going, as soon as we would have it. */
export function orphanGrace(pod: V1Pod): number | undefined {
  const grace = everRan(pod) ? Math.min(GRACE_SECONDS, pod.spec?.terminationGracePeriodSeconds ?? GRACE_SECONDS) : 0;
  const { deletionTimestamp, deletionGracePeriodSeconds } = pod.metadata ?? {};
  const going = deletionTimestamp !== undefined && (deletionGracePeriodSeconds ?? 0) <= GRACE_SECONDS;
  return going ? undefined : grace;
}
