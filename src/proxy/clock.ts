// One timer for the deadlines of all connections: idle, execution and throttle. It runs only while there is a deadline.
import { type Timed, Wheel } from '../core/wheel.ts';

/** A deadline is met at most this late, in ms. */
const TICK_MS = 20;
/** A revolution of 10 s: what is due later is looked at once in it. */
const SLOTS = 512;

/** Something with a deadline. */
export interface Deadline extends Timed {
  /** It is due. `now` is the clock's. */
  due(now: number): void;
  /** `due` threw: a fault of the program, which ends one connection and not the process. */
  failed(error: Error): void;
}

/** A clock that only goes forward, with deadlines. */
export class Clock {
  readonly #wheel = new Wheel<Deadline>(TICK_MS, SLOTS, performance.now());
  #timer: NodeJS.Timeout | undefined;

  /** Milliseconds of a clock that only goes forward. */
  now(): number {
    return performance.now();
  }

  /** Sets or moves a deadline. */
  set(entry: Deadline, dueAt: number): void {
    this.#wheel.set(entry, dueAt);
    this.#timer ??= setInterval(() => this.#tick(), TICK_MS);
  }

  /** Takes a deadline back. */
  delete(entry: Deadline): void {
    this.#wheel.delete(entry);
    if (this.#wheel.size > 0) return;
    clearInterval(this.#timer);
    this.#timer = undefined;
  }

  #tick(): void {
    const now = performance.now();
    this.#wheel.advance(now, (entry) => {
      try {
        entry.due(now);
      } catch (error) {
        entry.failed(error as Error);
      }
    });
    if (this.#wheel.size === 0) {
      clearInterval(this.#timer);
      this.#timer = undefined;
    }
  }
}
