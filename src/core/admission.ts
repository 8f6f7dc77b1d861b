// May this connection start? Judged before anything is started for it (contract part 3: the order of checks).
import type { Reason } from './outcome.ts';
import type { ServedFunction } from './served.ts';

/** What is known when a handshake has been routed. */
export interface AdmissionFacts {
  readonly fn: ServedFunction;
  /** Connections of this function that this proxy has open or pending. */
  readonly connections: number;
}

/** A refusal before the start: `detail` may be shown to the client. */
export interface Denied {
  readonly reason: Reason;
  readonly detail: string;
}

/** The first check that fails, or undefined. */
export function admit({ fn, connections }: AdmissionFacts): Denied | undefined {
  if (fn.problem !== '') return { reason: 'function_not_accepted', detail: 'the function is not accepted; see its condition Accepted' };
  // Access rules that this version does not enforce must not be taken for enforced: the function stays closed.
  if (fn.spec.auth !== undefined || fn.spec.allowedOrigins !== undefined) {
    return { reason: 'function_not_accepted', detail: 'this version does not enforce auth and allowedOrigins yet' };
  }
  if (connections >= fn.spec.maxConnections)
    return { reason: 'max_connections', detail: `maxConnections ${fn.spec.maxConnections} is reached` };
  return undefined;
}
