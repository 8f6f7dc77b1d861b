// maxConnections as a hard ceiling: a pod takes one of the names `<function>-slot-<n>`, n below maxConnections, and the API
// server's name conflict is the lock between proxies. Which number to try is decided here, from memory.

/** The name of the pod in a slot. */
export function slotName(functionName: string, slot: number): string {
  return `${functionName}-slot-${slot}`;
}

/** The function and the slot in a pod's name; undefined when it is no slot of any function. */
export function slotOf(podName: string): { readonly functionName: string; readonly slot: number } | undefined {
  const [, functionName, slot] = /^(.+)-slot-(0|[1-9][0-9]{0,9})$/.exec(podName) ?? [];
  return functionName === undefined ? undefined : { functionName, slot: Number(slot) };
}

/**
 * The slot to try next: the lowest that is free.
 * @param taken slots that are held, beyond a lowered ceiling too: they count, so a function never has more pods than allowed
 * @returns undefined when as many are held as may be
 */
export function freeSlot(maxConnections: number, taken: ReadonlySet<number>): number | undefined {
  if (taken.size >= maxConnections) return undefined;
  for (let slot = 0; slot < maxConnections; slot++) if (!taken.has(slot)) return slot;
  return undefined;
}
