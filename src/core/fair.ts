// What a proxy shares between its functions when there is not enough for all: held handshakes and starts. While more than half is
// free nobody is asked; then each function has its share, so that one that floods takes nothing from the others.
import { Bucket } from './meter.ts';

/** A resource of a proxy, as it is now. */
export interface Use {
  /** Held by all functions. */
  readonly total: number;
  /** Held by the function that asks. */
  readonly own: number;
  /** Functions that hold some of it, the one that asks included. */
  readonly functions: number;
}

/** May a function have one more of something of which there are `most`? */
export function mayHave({ total, own, functions }: Use, most: number): boolean {
  if (total >= most) return false;
  return total < most / 2 || own < most / functions;
}

/** Functions that have not asked for so long have no share (ms). */
const FORGOTTEN_MS = 2000;

interface Taken {
  /** Starts of the last second or so: goes down as the function's share of the rate comes in. */
  starts: number;
  at: number;
}

/** How fast pods may be asked for: a token bucket for all functions, shared when it runs low. */
export class StartRate {
  readonly #perSecond: number;
  readonly #burst: number;
  readonly #tokens: Bucket;
  readonly #taken = new Map<string, Taken>();
  #sweptAt: number;

  /** The burst is twice the rate (contract part 3). */
  constructor(perSecond: number, now: number) {
    this.#perSecond = perSecond;
    this.#burst = 2 * perSecond;
    this.#tokens = new Bucket(perSecond, this.#burst, now);
    this.#sweptAt = now;
  }

  /** Takes a token for a start of this function. @returns false when there is none for it */
  take(key: string, now: number): boolean {
    this.#tokens.refill(now);
    this.#sweep(now);
    const own = this.#taken.get(key) ?? { starts: 0, at: now };
    this.#taken.set(key, own);
    const functions = this.#taken.size;
    own.starts = Math.max(0, own.starts - ((now - own.at) / 1000) * (this.#perSecond / functions));
    own.at = now;
    const total = Math.ceil(this.#burst - this.#tokens.tokens);
    if (!mayHave({ total, own: own.starts, functions }, this.#burst)) return false;
    this.#tokens.tokens--;
    own.starts++;
    return true;
  }

  /** A start that took a token was none: what it was for had no place. */
  giveBack(key: string): void {
    this.#tokens.tokens = Math.min(this.#burst, this.#tokens.tokens + 1);
    const own = this.#taken.get(key);
    if (own) own.starts = Math.max(0, own.starts - 1);
  }

  /** Forgets, once a second at most, who has not asked for a while. */
  #sweep(now: number): void {
    if (now - this.#sweptAt < 1000) return;
    this.#sweptAt = now;
    for (const [key, { at }] of this.#taken) if (now - at > FORGOTTEN_MS) this.#taken.delete(key);
  }
}
