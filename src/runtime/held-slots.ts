// Which slots of a function are held by pods, from all that this process knows in memory: its own pods, those that the watch shows,
// and names that the API server found taken.
import type { V1Pod } from '@kubernetes/client-node';
import type { ServedFunction } from '../core/served.ts';
import { slotName, slotOf } from '../core/slots.ts';
import { OwnPod } from './own-pod.ts';

/** How long a name is believed to be taken by a pod that is not of this kind, and so never shown by the watch (ms). */
const TAKEN_MS = 30_000;

/** Knows nothing itself but the names of conflicts. */
export class HeldSlots {
  readonly #watched: ReadonlyMap<string, V1Pod>;
  readonly #own: ReadonlyMap<string, OwnPod | 'creating'>;
  /** Names that a create found taken by pods that the watch does not show, and until when that is believed (ms). */
  readonly #taken = new Map<string, number>();

  /** Both by `namespace/name`. */
  constructor(watched: ReadonlyMap<string, V1Pod>, own: ReadonlyMap<string, OwnPod | 'creating'>) {
    this.#watched = watched;
    this.#own = own;
  }

  /** The API server says that this name is taken. */
  conflict(key: string): void {
    if (!this.#watched.has(key)) this.#taken.set(key, performance.now() + TAKEN_MS);
  }

  /** The watch has shown what is with this name. */
  seen(key: string): void {
    this.#taken.delete(key);
  }

  /** The slots of a function that are held, and whether one of them is being freed. */
  of(fn: ServedFunction): { taken: Set<number>; going: boolean } {
    const taken = new Set<number>();
    let going = false;
    for (const [key, until] of this.#taken) if (performance.now() > until) this.#taken.delete(key);
    for (const key of [...this.#watched.keys(), ...this.#own.keys(), ...this.#taken.keys()]) {
      const slot = key.startsWith(`${fn.namespace}/`) ? slotOf(fn.name, key.slice(fn.namespace.length + 1)) : undefined;
      if (slot === undefined) continue;
      taken.add(slot);
      const own = this.#own.get(key);
      if (this.#watched.get(key)?.metadata?.deletionTimestamp || (own instanceof OwnPod && own.deleting)) going = true;
    }
    return { taken, going };
  }
}

/** `namespace/name` of the pod in a slot. */
export function keyOfSlot(fn: ServedFunction, slot: number): string {
  return `${fn.namespace}/${slotName(fn.name, slot)}`;
}
