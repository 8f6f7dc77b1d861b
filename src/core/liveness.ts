// Which proxies are dead, judged by one who watches their Leases. Clocks of different machines are never compared: what counts is how
// long the watch has shown no change of a Lease while it was showing other things.

/** Times of the judgement, in ms. */
export interface LivenessTimes {
  /** A proxy whose Lease did not change for this long, while the API worked, is dead. Leases are renewed every 10 s. */
  readonly deadMs: number;
  /**
   * A watch that told nothing for this long was not working, and all ages start anew with its next word. Longer than a leader's death
   * keeps the watch of a lonely stand-by silent (15 s); and with the 10 s of a renewal that it may have held back below `deadMs`.
   */
  readonly silentMs: number;
}

export const LIVENESS_TIMES: LivenessTimes = { deadMs: 30_000, silentMs: 18_000 };

interface Known {
  /** Differs at each renewal. */
  readonly renewal: string;
  readonly changedAt: number;
  /** Its Lease was deleted since then. */
  readonly gone: boolean;
  readonly dead: boolean;
}

/**
 * The ages of Leases. An age ends at the last word of the watch, not now: events come in order, so an event proves that nothing older is
 * missing, while silence proves nothing. So neither a stalled path nor a stopped process of ours makes anybody old.
 */
export class Liveness {
  readonly #times: LivenessTimes;
  readonly #known = new Map<string, Known>();
  /** The watch has been working since then. */
  #since = 0;
  #heardAt = Number.NEGATIVE_INFINITY;

  constructor(times: LivenessTimes = LIVENESS_TIMES) {
    this.#times = times;
  }

  /** The watch was cut, or a Lease call of ours failed: others may have had the same trouble. All ages start anew with the next event. */
  doubt(): void {
    this.#heardAt = Number.NEGATIVE_INFINITY;
  }

  /** A Lease is there. @param renewal differs at each renewal; @param now ms of a clock that only goes forward */
  seen(id: string, renewal: string, now: number): void {
    const known = this.#known.get(id);
    if (!known || known.gone || known.renewal !== renewal) {
      this.#known.set(id, { renewal, changedAt: now, gone: false, dead: false });
    }
    this.#heard(now);
  }

  /** A Lease is gone. That is no sign of life, nor of death: whoever deleted it, a proxy that lives makes it again in its time. */
  gone(id: string, now: number): void {
    const known = this.#known.get(id);
    if (known) this.#known.set(id, { ...known, gone: true });
    this.#heard(now);
  }

  /**
   * Is this proxy dead? Once found dead it is so until its Lease changes.
   * @param podSeenAt when a pod of it was first seen: the age of a Lease that nobody has seen begins there
   */
  isDead(id: string, podSeenAt: number): boolean {
    return this.#known.get(id)?.dead ?? this.#silentMs(podSeenAt) >= this.#times.deadMs;
  }

  #silentMs(changedAt: number): number {
    return this.#heardAt - Math.max(this.#since, changedAt);
  }

  #heard(now: number): void {
    if (now - this.#heardAt > this.#times.silentMs) this.#since = now;
    this.#heardAt = now;
    const { deadMs } = this.#times;
    for (const [id, known] of this.#known) {
      const silentMs = this.#silentMs(known.changedAt);
      // Whoever asks for the dead has heard of it by then.
      if (known.gone && silentMs >= 2 * deadMs) this.#known.delete(id);
      else if (!known.dead && silentMs >= deadMs) this.#known.set(id, { ...known, dead: true });
    }
  }
}
