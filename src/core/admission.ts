// May this connection start? Judged before anything is started for it, in the contract's order (part 3): accepted, then the access
// rules of core/access.ts, then draining, pending, ceiling, start rate.
import { mayHave, type Use } from './fair.ts';
import type { Reason } from './outcome.ts';
import type { ServedFunction } from './served.ts';

/** What is known when a handshake has been routed. */
export interface AdmissionFacts {
  readonly fn: ServedFunction;
  /** The proxy takes no new connections. */
  readonly draining: boolean;
  /** Handshakes that this proxy holds. */
  readonly pending: Use;
  /** The most of them. */
  readonly maxPending: number;
  /** Connections of this function that hold a backend of this proxy, or wait for one. */
  readonly connections: number;
  /** Do pods hold the ceiling, whosever they are, and none of them is being freed? Asked only if all before is well. */
  full(): boolean;
  /** Takes a start token where something has to be started; asked last, and only if all else is well. */
  takeStart(): boolean;
}

/** A refusal before the start: `detail` may be shown to the client. */
export interface Denied {
  readonly reason: Reason;
  readonly detail: string;
}

/** Does this function take connections at all? Undefined when it does. */
export function notAccepted(fn: ServedFunction): Denied | undefined {
  if (fn.problem === '') return undefined;
  return { reason: 'function_not_accepted', detail: 'the function is not accepted; see its condition Accepted' };
}

/** The first check that fails of those that count what there is, or undefined. */
export function admit({ fn, draining, pending, maxPending, connections, full, takeStart }: AdmissionFacts): Denied | undefined {
  if (draining) return { reason: 'draining', detail: 'this proxy is going away; try again' };
  if (!mayHave(pending, maxPending)) return { reason: 'overloaded', detail: 'too many handshakes are held' };
  const { maxConnections } = fn.spec;
  if (connections >= maxConnections || full()) return { reason: 'max_connections', detail: `maxConnections ${maxConnections} is reached` };
  if (!takeStart()) return { reason: 'start_rate_exceeded', detail: 'pods are asked for faster than the platform allows' };
  return undefined;
}
