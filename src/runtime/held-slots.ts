// Which slots of a function are held by pods, from all that this process knows in memory: its own pods, those that the watch shows,
// and names that the API server found taken.
import type { V1Pod } from '@kubernetes/client-node';
import { keyOf, type ServedFunction } from '../core/served.ts';
import { slotName, slotOf } from '../core/slots.ts';
import { OwnPod } from './own-pod.ts';

/**
 * How long a name is believed to be taken by a pod that the watch does not show (ms). It is one of another kind, which will stay; or one
 * that was gone by the time at which the answer came, and then the name is free.
 */
export const TAKEN_MS = 5000;

/** What is held of a function. */
export interface Held {
  readonly taken: ReadonlySet<number>;
  /** How many of these are being freed. */
  readonly going: number;
}

/** Knows nothing itself but the names of conflicts, and which names each function has. */
export class HeldSlots {
  readonly #watched: ReadonlyMap<string, V1Pod>;
  readonly #own: ReadonlyMap<string, OwnPod | 'creating'>;
  /** Names that a create found taken by pods that the watch does not show, and until when that is believed (ms). */
  readonly #taken = new Map<string, number>();
  /** The slots of each function, by the pods' `namespace/name`; some may be free by now. */
  readonly #slots = new Map<string, Map<string, number>>();

  /** Both by `namespace/name`. */
  constructor(watched: ReadonlyMap<string, V1Pod>, own: ReadonlyMap<string, OwnPod | 'creating'>) {
    this.#watched = watched;
    this.#own = own;
  }

  /** The API server says that this name is taken. */
  conflict(key: string): void {
    if (this.#watched.has(key)) return;
    this.#taken.set(key, performance.now() + TAKEN_MS);
    this.note(key);
  }

  /** The watch has shown what is with this name. */
  seen(key: string): void {
    this.#taken.delete(key);
    this.note(key);
  }

  /** There is something with this name, or was. */
  note(key: string): void {
    const [namespace = '', name = ''] = key.split('/');
    const found = slotOf(name);
    if (!found) return;
    const fn = keyOf({ namespace, name: found.functionName });
    const slots = this.#slots.get(fn) ?? new Map<string, number>();
    this.#slots.set(fn, slots.set(key, found.slot));
  }

  /** The slots of a function that are held. */
  of(fn: ServedFunction): Held {
    const taken = new Set<number>();
    let going = 0;
    for (const [key, slot] of this.#of(fn)) {
      taken.add(slot);
      const own = this.#own.get(key);
      if (this.#watched.get(key)?.metadata?.deletionTimestamp || (own instanceof OwnPod && own.deleting)) going++;
    }
    return { taken, going };
  }

  /** The pods in a function's slots that the watch shows. */
  *pods(fn: ServedFunction): Generator<V1Pod> {
    for (const [key] of this.#of(fn)) {
      const pod = this.#watched.get(key);
      if (pod) yield pod;
    }
  }

  /** What is held; the rest is forgotten on the way. */
  *#of(fn: ServedFunction): Generator<readonly [key: string, slot: number]> {
    const slots = this.#slots.get(keyOf(fn));
    if (!slots) return;
    for (const [key, slot] of slots) {
      if ((this.#taken.get(key) ?? 0) < performance.now()) this.#taken.delete(key);
      if (this.#watched.has(key) || this.#own.has(key) || this.#taken.has(key)) yield [key, slot];
      else slots.delete(key);
    }
    if (slots.size === 0) this.#slots.delete(keyOf(fn));
  }
}

/** `namespace/name` of the pod in a slot. */
export function keyOfSlot(fn: ServedFunction, slot: number): string {
  return `${fn.namespace}/${slotName(fn.name, slot)}`;
}
