// The live connections of this proxy: by id, those of a function that hold a backend, and what passed through them.
import type { Use } from '../core/fair.ts';
import type { Reason } from '../core/outcome.ts';
import { keyOf, type ServedFunction } from '../core/served.ts';
import type { ConnectionView } from './record.ts';
import { noTraffic, type Traffic } from './traffic.ts';

/** What the registry knows of a connection. */
export interface Registered {
  readonly id: string;
  readonly fn: ServedFunction;
  /** Has the function answered 101? */
  readonly opened: boolean;
  /** Ends the connection for this reason, unless it is ending already. */
  end(reason: Reason): void;
  /** What is known of it now. */
  view(): ConnectionView;
}

/** Every connection is in here from before its first await until its end was recorded. */
export class Registry {
  readonly #connections = new Map<string, Registered>();
  readonly #holding = new Set<Registered>();
  readonly #held = new Map<string, number>();
  readonly #waiting = new Set<Registered>();
  readonly #pending = new Map<string, number>();
  readonly #traffic = new Map<string, Traffic>();
  #whenEmpty: (() => void)[] = [];

  get size(): number {
    return this.#connections.size;
  }

  /** All of them. */
  all(): Iterable<Registered> {
    return this.#connections.values();
  }

  get(id: string): Registered | undefined {
    return this.#connections.get(id);
  }

  /** Handshakes that are held. */
  pending(fn: ServedFunction): Use {
    const own = this.#pending.get(keyOf(fn)) ?? 0;
    return { total: this.#waiting.size, own, functions: this.#pending.size + (own === 0 ? 1 : 0) };
  }

  /** The connection's handshake was answered. */
  settled(connection: Registered): void {
    if (this.#waiting.delete(connection)) count(this.#pending, connection.fn, -1);
  }

  /** Connections of a function that hold a backend, or wait for one. */
  count(fn: ServedFunction): number {
    return this.#held.get(keyOf(fn)) ?? 0;
  }

  add(connection: Registered): void {
    this.#connections.set(connection.id, connection);
    this.#holding.add(connection);
    this.#waiting.add(connection);
    count(this.#held, connection.fn, 1);
    count(this.#pending, connection.fn, 1);
  }

  /** The connection's backend was told to go: its place is free, though the connection may still be closing. */
  release(connection: Registered): void {
    this.settled(connection);
    if (this.#holding.delete(connection)) count(this.#held, connection.fn, -1);
  }

  remove(connection: Registered): void {
    if (!this.#connections.delete(connection.id)) return;
    this.release(connection);
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

  /** The totals of a function, to be added to. */
  traffic(fn: ServedFunction): Traffic {
    const key = keyOf(fn);
    const known = this.#traffic.get(key);
    if (known) return known;
    const fresh = noTraffic();
    this.#traffic.set(key, fresh);
    return fresh;
  }

  /** The totals of all functions that had connections, by `namespace/name`. */
  totals(): Iterable<readonly [string, Traffic]> {
    return this.#traffic;
  }

  /** Forgets the totals of a function that is gone. */
  forget(key: string): void {
    this.#traffic.delete(key);
  }
}

/** Counts by function; what is at 0 is not there. */
function count(counts: Map<string, number>, fn: ServedFunction, by: number): void {
  const now = (counts.get(keyOf(fn)) ?? 0) + by;
  if (now > 0) counts.set(keyOf(fn), now);
  else counts.delete(keyOf(fn));
}
