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
  /** Those who wait for the end of one. */
  readonly #awaited = new Set<() => void>();

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
    if (before && before.uid !== fn.uid) this.#gone(before);
    this.#events.served(fn);
  }

  delete(key: string): void {
    const before = this.#functions.get(key);
    if (!before) return;
    this.#functions.delete(key);
    this.#table = undefined;
    this.#gone(before);
  }

  #gone(fn: ServedFunction): void {
    this.#events.gone(fn);
    for (const told of [...this.#awaited]) told();
  }

  /** Is this very function (by uid) still there? */
  has(fn: ServedFunction): boolean {
    return this.#functions.get(keyOf(fn))?.uid === fn.uid;
  }

  /** Resolves with true as soon as this very function is gone, with false if it is still there after `withinMs`. */
  gone(fn: ServedFunction, withinMs: number): Promise<boolean> {
    if (!this.has(fn)) return Promise.resolve(true);
    return new Promise((resolve) => {
      const settle = (gone: boolean) => {
        clearTimeout(timer);
        this.#awaited.delete(told);
        resolve(gone);
      };
      const told = () => {
        if (!this.has(fn)) settle(true);
      };
      const timer = setTimeout(() => settle(false), withinMs);
      this.#awaited.add(told);
    });
  }

  /** The function at a host and path, by the newest knowledge. */
  find(host: string, path: string): ServedFunction | undefined {
    this.#table ??= routeTable(this.#functions.values());
    return findRoute(this.#table, host, path);
  }
}
