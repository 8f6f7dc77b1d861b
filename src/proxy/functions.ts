// The functions that this proxy serves, and the routing table made of them. Fed by files (dev) or by a watch (proxy).
import { findRoute, type RouteTable, routeTable } from '../core/route.ts';
import { keyOf, type ServedFunction } from '../core/served.ts';

/** Who hears of functions. */
export interface FunctionEvents {
  /** It came or changed. */
  served(fn: ServedFunction): void;
  /** It is gone, or was replaced by another one of its name. */
  gone(fn: ServedFunction): void;
}

/** The set of functions. Edits hold for connections accepted from then on; a deletion ends those that are open. */
export class Functions {
  readonly #functions = new Map<string, ServedFunction>();
  readonly #events: FunctionEvents;
  #table: RouteTable | undefined;

  constructor(events: FunctionEvents) {
    this.#events = events;
  }

  get size(): number {
    return this.#functions.size;
  }

  all(): ServedFunction[] {
    return [...this.#functions.values()];
  }

  set(fn: ServedFunction): void {
    const before = this.#functions.get(keyOf(fn));
    this.#functions.set(keyOf(fn), fn);
    this.#table = undefined;
    if (before && before.uid !== fn.uid) this.#events.gone(before);
    this.#events.served(fn);
  }

  delete(key: string): void {
    const before = this.#functions.get(key);
    if (!before) return;
    this.#functions.delete(key);
    this.#table = undefined;
    this.#events.gone(before);
  }

  /** Is this very function (by uid) still there? */
  has(fn: ServedFunction): boolean {
    return this.#functions.get(keyOf(fn))?.uid === fn.uid;
  }

  /** The function at a host and path, by the newest knowledge. */
  find(host: string, path: string): ServedFunction | undefined {
    this.#table ??= routeTable(this.#functions.values());
    return findRoute(this.#table, host, path);
  }
}
