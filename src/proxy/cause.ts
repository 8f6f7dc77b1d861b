// Why a backend went, for the record: what the runtime knows of it, and whether its function was deleted. The API server deletes the pods
// of a deleted function by itself, and that may show before the function's own deletion does.
import type { ServedFunction } from '../core/served.ts';
import type { Backend, Cause } from '../runtime/runtime.ts';
import type { Functions } from './functions.ts';

/** How long the recorded reason waits for its cause (contract part 2), in ms. */
export const CAUSE_MS = 2000;

/** The cause of the drop of an open connection; it shows within the 2 s or not at all. To be called together with Backend.stop. */
export async function causeOfDrop(backend: Backend, fn: ServedFunction, functions: Functions): Promise<Cause> {
  const begun = performance.now();
  const cause = await backend.cause(CAUSE_MS);
  const leftMs = cause.reason === 'pod_deleted' ? Math.max(0, CAUSE_MS - (performance.now() - begun)) : 0;
  return (await functions.gone(fn, leftMs)) ? { ...cause, reason: 'function_deleted' } : cause;
}
