// The live connections of this proxy: by id, and counted by function.

import type { Reason } from '../core/outcome.ts';
import { keyOf, type ServedFunction } from '../core/served.ts';

/** What the registry knows of a connection. */
export interface Registered {
  readonly id: string;
  readonly fn: ServedFunction;
  /** Ends the connection for this reason, unless it is ending already. */
  end(reason: Reason): void;
}

/** Every connection is in here from before its first await until its end was recorded. */
export class Registry {
  readonly #connections = new Map<string, Registered>();
  readonly #perFunction = new Map<string, number>();
  #whenEmpty: (() => void)[] = [];

  get size(): number {
    return this.#connections.size;
  }

  /** Connections of a function, pending, open and closing. */
  count(fn: ServedFunction): number {
    return this.#perFunction.get(keyOf(fn)) ?? 0;
  }

  add(connection: Registered): void {
    this.#connections.set(connection.id, connection);
    this.#perFunction.set(keyOf(connection.fn), this.count(connection.fn) + 1);
  }

  remove(connection: Registered): void {
    if (!this.#connections.delete(connection.id)) return;
    const left = this.count(connection.fn) - 1;
    if (left > 0) this.#perFunction.set(keyOf(connection.fn), left);
    else this.#perFunction.delete(keyOf(connection.fn));
    if (this.size === 0) for (const done of this.#whenEmpty.splice(0)) done();
  }

  /** Ends all connections, or those of the function with this uid. */
  endAll(reason: Reason, uid?: string): void {
    for (const connection of [...this.#connections.values()]) {
      if (uid === undefined || connection.fn.uid === uid) connection.end(reason);
    }
  }

  /** Resolves when no connection is left. */
  empty(): Promise<void> {
    if (this.size === 0) return Promise.resolve();
    return new Promise((resolve) => this.#whenEmpty.push(resolve));
  }
}
