// What one connection may send: message size both ways, and the client's bytes, messages and frames per second (contract part 4).
// Numbers in, verdicts out; `now` is an argument, in ms of any clock that only goes forward.
import type { CompleteSpec } from '../api/types.ts';

/** A client that was throttled for this long without once catching up is closed (contract part 2), in ms. */
export const CATCH_UP_MS = 30_000;
/** While a client is throttled, one violation is counted in this time, in ms. */
const COUNT_MS = 1000;

/** The size of a message, summed over its fragments as their headers come. */
export class MessageSize {
  /** Of the current message, as announced so far, in bytes on the wire. */
  bytes = 0;
  readonly #most: number;

  /** @param most the largest that passes, in bytes */
  constructor(most: number) {
    this.#most = most;
  }

  /** A data frame's header came. @returns false when its message is too large */
  frame(begins: boolean, length: number): boolean {
    this.bytes = begins ? length : this.bytes + length;
    return this.bytes <= this.#most;
  }
}

/** A token bucket: full at first, refilled by time, and it may go below zero when what came cannot be taken back. */
export class Bucket {
  tokens: number;
  readonly #capacity: number;
  readonly #perMs: number;
  #at: number;

  constructor(perSecond: number, capacity: number, now: number) {
    this.tokens = capacity;
    this.#capacity = capacity;
    this.#perMs = perSecond / 1000;
    this.#at = now;
  }

  refill(now: number): void {
    if (now <= this.#at) return;
    this.tokens = Math.min(this.#capacity, this.tokens + (now - this.#at) * this.#perMs);
    this.#at = now;
  }

  /** Milliseconds until there are this many tokens; 0 when there are. */
  msUntil(tokens: number): number {
    return Math.max(0, (tokens - this.tokens) / this.#perMs);
  }
}

/** The rates of a function, as far as its clients are held to them. */
export type RateSpec = Pick<CompleteSpec, 'maxMessageBytes' | 'maxBytesPerSecond' | 'maxMessagesPerSecond' | 'onRateExceeded'>;

/** The limits that a client is held to by rate. */
export type RateLimit = 'bytes_per_second' | 'messages_per_second';

/** The client's rates, and for how long it has been throttled. Call `at` before anything else in a read or at a tick. */
export class RateMeter {
  /** Over a rate the client's reads are held back; else the connection ends. */
  readonly throttles: boolean;
  /** The limit it was last over. */
  over: RateLimit = 'messages_per_second';
  readonly #bytes: Bucket;
  readonly #messages: Bucket;
  readonly #frames: Bucket;
  #now: number;
  /** Since when it is throttled; -1 when it is not. */
  #since = -1;
  /** Up to when its time in throttle was told by `lap`. */
  #lappedAt = 0;
  #countedAt = Number.NEGATIVE_INFINITY;

  /** @param maxFramesPerSecond frames of any kind; over it a connection always ends */
  constructor(spec: RateSpec, maxFramesPerSecond: number, now: number) {
    this.throttles = spec.onRateExceeded === 'Throttle';
    this.#bytes = new Bucket(spec.maxBytesPerSecond, Math.max(spec.maxBytesPerSecond, spec.maxMessageBytes), now);
    this.#messages = new Bucket(spec.maxMessagesPerSecond, spec.maxMessagesPerSecond, now);
    this.#frames = new Bucket(maxFramesPerSecond, maxFramesPerSecond, now);
    this.#now = now;
  }

  /** It is now this late. */
  at(now: number): void {
    this.#now = now;
    this.#bytes.refill(now);
    this.#messages.refill(now);
    this.#frames.refill(now);
  }

  /** A frame of any kind came. @returns false when that is one too many */
  frame(): boolean {
    if (this.#frames.tokens < 1) return false;
    this.#frames.tokens--;
    return true;
  }

  /** A message begins. @returns false when it has to wait, or is one too many */
  message(): boolean {
    if (this.#messages.tokens < 1) {
      this.over = 'messages_per_second';
      return false;
    }
    this.#messages.tokens--;
    return true;
  }

  /** Payload of any frame came. @returns false when the bucket is below zero */
  payload(bytes: number): boolean {
    this.#bytes.tokens -= bytes;
    return this.#bytes.tokens >= 0;
  }

  /** Is the bucket of bytes below zero? */
  get inDebt(): boolean {
    return this.#bytes.tokens < 0;
  }

  /** Reads are held back from now on, or still. @returns true when that is to be counted: once a second at most */
  hold(): boolean {
    if (this.inDebt) this.over = 'bytes_per_second';
    if (this.#since < 0) {
      this.#since = this.#now;
      this.#lappedAt = this.#now;
    }
    if (this.#now - this.#countedAt < COUNT_MS) return false;
    this.#countedAt = this.#now;
    return true;
  }

  /** It has caught up. */
  release(): void {
    this.#since = -1;
  }

  /** Milliseconds in throttle since the last call; to be called before `release`. */
  lap(): number {
    if (this.#since < 0) return 0;
    const ms = this.#now - this.#lappedAt;
    this.#lappedAt = this.#now;
    return ms;
  }

  /** When a throttled client has had its time. */
  get overdueAt(): number {
    return this.#since + CATCH_UP_MS;
  }

  /** Has it been throttled for so long that the connection ends? */
  get overdue(): boolean {
    return this.#since >= 0 && this.#now >= this.overdueAt;
  }

  /** When to look again at a throttled client: there is a token and no debt, or its time is over. */
  get wakeAt(): number {
    return Math.min(this.#now + Math.max(this.#messages.msUntil(1), this.#bytes.msUntil(0)), this.overdueAt);
  }
}

/** What the timeouts of an open connection look at, in ms. */
export interface Patience {
  readonly openedAt: number;
  /** When a byte of a data frame passed last, either way. */
  readonly lastDataAt: number;
  /** The client's reads are held back by us: that is not its idleness. */
  readonly throttled: boolean;
}

/** The timeout that is over, if any, or when to look again. */
export function timeoutOf(
  { openedAt, lastDataAt, throttled }: Patience,
  spec: Pick<CompleteSpec, 'idleTimeoutSeconds' | 'executionTimeoutSeconds'>,
  now: number,
): 'idle_timeout' | 'execution_timeout' | number {
  const idleAt = (throttled ? now : lastDataAt) + spec.idleTimeoutSeconds * 1000;
  const executionAt = openedAt + spec.executionTimeoutSeconds * 1000;
  if (idleAt <= now && idleAt <= executionAt) return 'idle_timeout';
  return executionAt <= now ? 'execution_timeout' : Math.min(idleAt, executionAt);
}
