// A function as the data plane sees it: complete, judged, and immutable. A connection keeps the one it was accepted with.
import type { CompleteSpec } from '../api/types.ts';

/** One function in the routing table. */
export interface ServedFunction {
  readonly namespace: string;
  readonly name: string;
  readonly uid: string;
  readonly generation: number;
  /** Creation time in ms since 1970; the older function wins a conflict. */
  readonly createdAt: number;
  readonly spec: CompleteSpec;
  /** Hosts that its status says it holds (contract part 6). */
  readonly heldHosts: readonly string[];
  /** Hosts of its route that the operator's host rules keep from its namespace: it has no claim to them. */
  readonly deniedHosts?: readonly string[];
  /** Why it is not accepted; empty when it is. Connections to it get `function_not_accepted`. */
  readonly problem: string;
  /** The shell command by which `dev` runs it, from the annotation `socketpod.dev/dev-command`. */
  readonly devCommand?: string;
  /** The folder of the file it was read from; the working directory of a local process. */
  readonly folder?: string;
}

/** `namespace/name`, the key of a function everywhere. */
export function keyOf(fn: { readonly namespace: string; readonly name: string }): string {
  return `${fn.namespace}/${fn.name}`;
}

/** Are two states of a function the same to connections? What a status counts is nothing to them. */
export function isSame(a: ServedFunction, b: ServedFunction): boolean {
  const sameHosts = a.heldHosts.length === b.heldHosts.length && a.heldHosts.every((host) => b.heldHosts.includes(host));
  return a.uid === b.uid && a.generation === b.generation && a.problem === b.problem && sameHosts;
}
