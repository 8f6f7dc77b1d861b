// The functions that this proxy serves, and the routing table made of them. Fed by files (dev) or by a watch (proxy).
import { findRoute, type RouteTable, routeTable } from '../core/route.ts';
import { keyOf, type ServedFunction } from '../core/served.ts';

/** The set of functions. Edits hold for connections accepted from then on; a deletion ends those that are open. */
export class Functions {
  readonly #functions = new Map<string, ServedFunction>();
  readonly #deleted: (fn: ServedFunction) => void;
  #table: RouteTable | undefined;

  /** @param deleted hears of each function that is gone, or was replaced by another one of its name */
  constructor(deleted: (fn: ServedFunction) => void) {
    this.#deleted = deleted;
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
    if (before && before.uid !== fn.uid) this.#deleted(before);
  }

  delete(key: string): void {
    const before = this.#functions.get(key);
    if (!before) return;
    this.#functions.delete(key);
    this.#table = undefined;
    this.#deleted(before);
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
