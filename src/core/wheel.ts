// A hashed timing wheel: deadlines of any number of connections for one timer. To set and to delete costs the same for one entry
// as for a hundred thousand, and an entry that is never due costs one look a revolution.

/** What can be in a wheel. The fields belong to the wheel. */
export interface Timed {
  /** When it is due, in ms. */
  dueAt: number;
  /** Its place in the wheel; -1 outside. */
  slot: number;
}

/** The wheel. `now` never goes back; nothing is due early, and at most a tick late. */
export class Wheel<T extends Timed> {
  size = 0;
  readonly #tickMs: number;
  readonly #slots: Set<T>[];
  /** The last tick whose slot was looked at. */
  #tick: number;

  constructor(tickMs: number, slots: number, now: number) {
    this.#tickMs = tickMs;
    this.#slots = Array.from({ length: slots }, () => new Set<T>());
    this.#tick = Math.floor(now / tickMs);
  }

  /** Puts an entry in, or moves it. */
  set(entry: T, dueAt: number): void {
    this.delete(entry);
    entry.dueAt = dueAt;
    entry.slot = Math.max(Math.ceil(dueAt / this.#tickMs), this.#tick + 1) % this.#slots.length;
    this.#slots[entry.slot]?.add(entry);
    this.size++;
  }

  /** Takes an entry out; nothing happens when it is not in. */
  delete(entry: T): void {
    if (entry.slot < 0) return;
    this.#slots[entry.slot]?.delete(entry);
    entry.slot = -1;
    this.size--;
  }

  /** Takes out every entry that is due and hands it over; it may be put in again there. */
  advance(now: number, due: (entry: T) => void): void {
    const tick = Math.floor(now / this.#tickMs);
    // After a pause longer than a revolution each slot is still looked at once.
    const from = Math.max(this.#tick + 1, tick - this.#slots.length + 1);
    this.#tick = tick;
    for (let at = from; at <= tick; at++) {
      const slot = this.#slots[at % this.#slots.length];
      // A copy: an entry may be put into the very slot again.
      for (const entry of slot?.size ? [...slot] : []) {
        if (entry.dueAt > now) continue;
        this.delete(entry);
        due(entry);
      }
    }
  }
}
