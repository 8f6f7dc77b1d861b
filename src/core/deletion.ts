// Who ended a pod: we, or somebody else before us (contract part 2). Both look alike in its status; what tells them apart is when
// it showed, and the resourceVersions of that state and of the answer to our DELETE.

/** What others did to a pod. */
export type ByOthers = 'pod_evicted' | 'pod_deleted';

/** What has been seen of the end of a pod. */
export interface EndsSeen {
  /** How the pod was being ended before our DELETE went out: certainly by others. */
  readonly before: ByOthers | undefined;
  /** Our DELETE went out. */
  readonly sent: boolean;
  /** The first state in which it was being ended that was seen after that, and the resourceVersion of it. */
  readonly after: { readonly how: ByOthers; readonly version: bigint } | undefined;
  /** The resourceVersion in the answer to our DELETE; undefined while there is none. */
  readonly deleteVersion: bigint | undefined;
  /** Our DELETE found no such pod. */
  readonly foundGone: boolean;
  /** The API server has it no more. */
  readonly gone: boolean;
}

/** A pod that nobody ends. */
export const NOTHING_SEEN: EndsSeen = {
  before: undefined,
  sent: false,
  after: undefined,
  deleteVersion: undefined,
  foundGone: false,
  gone: false,
};

/** A state was seen in which the pod is being ended. An eviction shows as a condition and as a deletion: the eviction is the cause. */
export function seeEnd(seen: EndsSeen, how: ByOthers, version: bigint): EndsSeen {
  if (seen.sent) return { ...seen, after: seen.after ?? { how, version } };
  return { ...seen, before: how === 'pod_evicted' ? how : (seen.before ?? how) };
}

/** What others did before us; undefined: nothing. `unknown` until our DELETE is answered, if the pod was being ended after it went out. */
export function whoEnded({ before, sent, after, deleteVersion, foundGone, gone }: EndsSeen): ByOthers | undefined | 'unknown' {
  if (before) return before;
  if (!sent) return gone ? 'pod_deleted' : undefined;
  if (foundGone) return after?.how ?? 'pod_deleted';
  if (!after) return undefined;
  if (deleteVersion === undefined) return 'unknown';
  return after.version < deleteVersion ? after.how : undefined;
}
