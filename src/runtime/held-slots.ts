// Which slots of a function are held by pods, from all that this process knows in memory: its own pods, those that the watch shows,
// and names that the API server found taken. It is asked far more often than anything changes, so it is kept up to date name by name.
import type { V1Pod } from '@kubernetes/client-node';
import { LABEL_PROXY } from '../api/names.ts';
import { isFunctionPod, isWarmPod } from '../core/pod.ts';
import { keyOf, type ServedFunction } from '../core/served.ts';
import { slotName, slotOf } from '../core/slots.ts';
import { OwnPod } from './own-pod.ts';

/**
 * How long a name is believed to be taken by a pod that the watch does not show (ms). It is one of another kind, which will stay; or one
 * that was gone by the time at which the answer came, and then the name is free.
 */
export const TAKEN_MS = 5000;

/** What is held of a function. It changes as time goes by: to be asked for anew in each tick. */
export interface Held {
  readonly taken: ReadonlySet<number>;
  /** How many of these are being freed. */
  readonly going: number;
}

/** What is known of a function's slots. */
interface Slots {
  readonly taken: Set<number>;
  readonly going: Set<number>;
  /** Warm pods of other replicas that stay for now, by slot. */
  readonly lent: Map<number, V1Pod>;
}

const NOTHING: Slots = { taken: new Set(), going: new Set(), lent: new Map() };

/** What it looks at, both by `namespace/name`. */
export interface HeldSlotsOptions {
  readonly watched: ReadonlyMap<string, V1Pod>;
  readonly own: ReadonlyMap<string, OwnPod | 'creating'>;
  readonly proxyId: string;
}

/** Knows a function as long as one of its slots is held. */
export class HeldSlots {
  readonly #options: HeldSlotsOptions;
  /** Names that a create found taken by pods that the watch does not show, and until when that is believed (ms). */
  readonly #taken = new Map<string, number>();
  readonly #slots = new Map<string, Slots>();

  constructor(options: HeldSlotsOptions) {
    this.#options = options;
  }

  /** The API server says that this name is taken. Who calls this calls `note` when TAKEN_MS are over. */
  conflict(key: string): void {
    if (this.#options.watched.has(key)) return;
    this.#taken.set(key, performance.now() + TAKEN_MS);
    this.note(key);
  }

  /** The watch has shown what is with this name. */
  seen(key: string): void {
    this.#taken.delete(key);
    this.note(key);
  }

  /** Something is otherwise with this name: to be called at every change of what the options name. */
  note(key: string): void {
    const [namespace = '', name = ''] = key.split('/');
    const found = slotOf(name);
    if (!found) return;
    const { watched, own: owned, proxyId } = this.#options;
    if ((this.#taken.get(key) ?? 0) <= performance.now()) this.#taken.delete(key);
    const [pod, own] = [watched.get(key), owned.get(key)];
    const deleted = pod?.metadata?.deletionTimestamp !== undefined;
    const fn = keyOf({ namespace, name: found.functionName });
    const slots = this.#slots.get(fn) ?? { taken: new Set(), going: new Set(), lent: new Map() };
    put(slots.taken, found.slot, pod !== undefined || own !== undefined || this.#taken.has(key));
    put(slots.going, found.slot, deleted || (own instanceof OwnPod && own.deleting));
    slots.lent.delete(found.slot);
    if (pod && !deleted && isFunctionPod(pod) && isWarmPod(pod) && pod.metadata?.labels?.[LABEL_PROXY] !== proxyId)
      slots.lent.set(found.slot, pod);
    if (slots.taken.size > 0) this.#slots.set(fn, slots);
    else this.#slots.delete(fn);
  }

  /** The slots of a function that are held. */
  of(fn: ServedFunction): Held {
    const { taken, going } = this.#slots.get(keyOf(fn)) ?? NOTHING;
    return { taken, going: going.size };
  }

  /** The warm pods of other replicas in a function's slots that stay for now, by slot. */
  ofOthers(fn: ServedFunction): ReadonlyMap<number, V1Pod> {
    return (this.#slots.get(keyOf(fn)) ?? NOTHING).lent;
  }

  /** How many functions have slots that are held. */
  get functions(): number {
    return this.#slots.size;
  }
}

function put(slots: Set<number>, slot: number, is: boolean): void {
  if (is) slots.add(slot);
  else slots.delete(slot);
}

/** `namespace/name` of the pod in a slot. */
export function keyOfSlot(fn: ServedFunction, slot: number): string {
  return `${fn.namespace}/${slotName(fn.name, slot)}`;
}
