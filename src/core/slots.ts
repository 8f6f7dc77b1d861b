// maxConnections as a hard ceiling: a pod takes one of the names `<function>-slot-<n>`, n below maxConnections, and the API
// server's name conflict is the lock between proxies. Which number to try is decided here, from memory.

/** The name of the pod in a slot. */
export function slotName(functionName: string, slot: number): string {
  return `${functionName}-slot-${slot}`;
}

/** The slot of a pod's name; undefined when it is no slot of this function. */
export function slotOf(functionName: string, podName: string): number | undefined {
  const prefix = `${functionName}-slot-`;
  const number = podName.startsWith(prefix) ? podName.slice(prefix.length) : '';
  return /^(0|[1-9][0-9]{0,9})$/.test(number) ? Number(number) : undefined;
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
