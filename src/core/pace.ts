// So many a second and no more: when the next one's turn is (the virtual scheduling of a token bucket).

/** Spaces out what may be done in bursts. Time is an argument, in ms. */
export class Pace {
  readonly #intervalMs: number;
  readonly #slackMs: number;
  /** When the next one would be due if they came evenly. */
  #due = Number.NEGATIVE_INFINITY;

  /** @param burst so many may come at once */
  constructor(perSecond: number, burst: number) {
    this.#intervalMs = 1000 / perSecond;
    this.#slackMs = (burst - 1) * this.#intervalMs;
  }

  /** Takes a turn. @returns how long to wait for it (ms) */
  take(nowMs: number): number {
    const due = Math.max(this.#due, nowMs);
    this.#due = due + this.#intervalMs;
    return Math.max(0, due - this.#slackMs - nowMs);
  }
}
