// One direction of an open connection: bytes from one socket to the other, with scanner and meter beside them. It passes what it is
// given, holds back what is over a rate, cuts what is too large, and says what it saw; what that means connection.ts decides.
import type { Socket } from 'node:net';
import { freshSide, type SideState } from '../core/closing.ts';
import { BROKEN, END, FrameScanner, HEADER, OP_CLOSE, PARTIAL } from '../core/frame.ts';
import type { Limit } from '../core/limit.ts';
import type { RateMeter } from '../core/meter.ts';
import type { Deadline } from './clock.ts';
import type { FlowParts, Side } from './flow-parts.ts';
import type { Count } from './traffic.ts';

/** One direction, named by the side that sends. */
export class Flow implements Deadline {
  dueAt = 0;
  slot = -1;
  readonly side: Side;
  readonly socket: Socket;
  readonly state: SideState = freshSide();
  /** Data messages begun and payload bytes of data frames. */
  readonly count: Count = { messages: 0, bytes: 0 };
  /** When a byte of a data frame passed last, by the clock. */
  lastDataAt: number;
  /** The direction in which this one's socket is written to; set before the first byte. */
  other: Flow | undefined;
  readonly #scanner = new FrameScanner();
  readonly #parts: FlowParts;
  /** Undefined from the moment when rates hold no more. */
  #rates: RateMeter | undefined;
  #now: number;
  /** Reads are held back for a rate. */
  #throttled = false;
  /** What was read beyond a rate: it begins with a whole header, and is scanned up to `#keptAt`. */
  #kept: Buffer | undefined;
  #keptAt = 0;
  /** Nothing more is passed, and the last that was ended at the end of a frame. */
  #cut = false;

  constructor(parts: FlowParts) {
    this.#parts = parts;
    this.side = parts.side;
    this.socket = parts.socket;
    this.#rates = parts.rates;
    this.#now = parts.clock.now();
    this.lastDataAt = this.#now;
  }

  /** Is the other side in the middle of a frame? Then no frame of ours may go there. */
  get midFrame(): boolean {
    return this.#scanner.inFrame && !this.#cut && this.#kept === undefined;
  }

  /** Are reads held back for a rate alone? */
  get throttled(): boolean {
    return this.#throttled && !this.other?.socket.writableNeedDrain;
  }

  /** A chunk came from the socket, which is paused while something is kept: 'data' does not come then. */
  read(chunk: Buffer): void {
    if (this.state.said !== undefined || this.#scanner.broken !== '') return;
    this.#now = this.#parts.clock.now();
    this.#rates?.at(this.#now);
    this.#walk(chunk, 0, -1);
    if (this.#rates && (this.#kept || this.#rates.inDebt)) this.#holdBack(this.#rates);
  }

  /** Reads on, unless a rate or the other side's reader holds it back. */
  resume(): void {
    if (!this.#throttled && !this.other?.socket.writableNeedDrain) this.socket.resume();
  }

  /** The other side's socket takes more. */
  drained(): void {
    if (this.#throttled) this.due(this.#parts.clock.now());
    else this.socket.resume();
  }

  /** Looks again at a client that is held back: does the next message go, has it caught up, is its time over? */
  due(now: number): void {
    const rates = this.#rates;
    if (!rates || !this.#throttled) return;
    this.#now = now;
    rates.at(now);
    this.#parts.traffic.throttledMs += rates.lap();
    if (rates.overdue) return this.#exceed(rates.over, this.#kept !== undefined);
    if (this.other?.socket.writableNeedDrain) return this.#parts.clock.set(this, rates.overdueAt); // or drained() comes first
    if (rates.inDebt || (this.#kept && !rates.message())) return this.#holdBack(rates);
    this.#walkKept();
    if (this.#kept || this.#rates?.inDebt) return this.#holdBack(rates);
    rates.release();
    this.#parts.clock.delete(this);
    this.#throttled = false;
    this.lastDataAt = now;
    this.resume();
  }

  failed(error: Error): void {
    this.#parts.events.failed(error);
  }

  /** From now on no rate holds: the connection is ending, or this side's socket is. What is kept goes on. */
  unrate(): void {
    if (!this.#rates) return;
    this.#rates.at(this.#parts.clock.now());
    this.#parts.traffic.throttledMs += this.#rates.lap();
    this.#rates = undefined;
    this.#throttled = false;
    this.#parts.clock.delete(this);
    this.#walkKept();
    this.resume();
  }

  /** The socket of this side is gone. */
  gone(): void {
    this.state.gone = true;
    this.other?.socket.resume(); // it may be held back for this reader, who never drains now
    this.silent();
    this.#parts.events.changed();
  }

  /** This side sends nothing any more. */
  silent(): void {
    this.unrate();
    if (this.state.silent) return;
    this.state.silent = true;
    if (this.state.said === undefined) this.#parts.events.dropped(this.side);
    this.#parts.events.changed();
  }

  #holdBack(rates: RateMeter): void {
    this.#throttled = true;
    this.socket.pause();
    if (rates.hold()) this.#parts.events.throttled(rates.over);
    this.#parts.clock.set(this, rates.wakeAt);
  }

  #walkKept(): void {
    if (!this.#kept) return;
    const kept = this.#kept;
    this.#kept = undefined;
    this.#countMessage();
    this.#walk(kept, this.#keptAt, 0);
  }

  /**
   * Walks over one chunk and passes the part that goes on: all of it, but for a cut header, what is over a limit, and what follows
   * a close frame.
   * @param at the first byte that is not scanned
   * @param frameAt where the frame begins in which `at` is; -1 when that was in an earlier chunk
   */
  #walk(chunk: Buffer, at: number, frameAt: number): void {
    const scanner = this.#scanner;
    let passFrom = 0;
    while (at < chunk.length || scanner.owesEnd) {
      const before = at;
      at = scanner.next(chunk, at);
      if (scanner.found === HEADER) {
        frameAt = scanner.headerStart;
        const limit = this.#overAtHeader();
        if (limit !== undefined) {
          if (frameAt > passFrom) this.#pass(chunk.subarray(passFrom, frameAt));
          if (limit === 'messages_per_second' && this.#rates?.throttles) return this.#keep(chunk, at);
          this.#exceed(limit);
        } else if (frameAt < 0) {
          // The header began in the last chunk, where it was held back: it goes out whole, then the rest of this chunk.
          this.#pass(Buffer.from(scanner.header.subarray(0, scanner.headerSize)));
          passFrom = at;
        }
        if (scanner.isData && scanner.begins) this.#countMessage();
      } else if (scanner.found === PARTIAL || scanner.found === BROKEN) {
        this.#pass(chunk.subarray(passFrom, scanner.headerStart >= 0 ? scanner.headerStart : before));
        if (scanner.found === BROKEN) this.#broken();
        else if (scanner.cutIsData) this.lastDataAt = this.#now;
        return;
      } else {
        this.#countPayload(at - before);
        if (this.#rates && !this.#rates.payload(at - before) && !this.#rates.throttles) {
          // Up to the end of a frame where there is one, so that a close frame of ours can follow.
          const end = frameAt >= 0 ? frameAt : scanner.found === END ? at : passFrom;
          if (end > passFrom) this.#pass(chunk.subarray(passFrom, end));
          this.#exceed('bytes_per_second', frameAt >= 0);
        }
        if (scanner.found === END && scanner.opcode === OP_CLOSE) {
          this.#pass(chunk.subarray(passFrom, at));
          return this.#closeFrame();
        }
      }
    }
    if (at > passFrom) this.#pass(passFrom === 0 ? chunk : chunk.subarray(passFrom));
  }

  /** The limit that the frame whose header was just read is over. */
  #overAtHeader(): Limit | undefined {
    const scanner = this.#scanner;
    if (this.#cut) return undefined;
    if (this.#rates && !this.#rates.frame()) return 'frames_per_second';
    if (!scanner.isData) return undefined;
    this.lastDataAt = this.#now;
    if (!this.#parts.size.frame(scanner.begins, scanner.length)) return this.side === 'client' ? 'message_size_up' : 'message_size_down';
    return scanner.begins && this.#rates && !this.#rates.message() ? 'messages_per_second' : undefined;
  }

  #countMessage(): void {
    if (this.#cut) return;
    this.count.messages++;
    this.#parts.total.messages++;
  }

  /** Counts what has come, not what a header announces: that may be 2^53. */
  #countPayload(bytes: number): void {
    if (!this.#scanner.isData || this.#cut) return;
    this.lastDataAt = this.#now;
    this.count.bytes += bytes;
    this.#parts.total.bytes += bytes;
  }

  /** Keeps a chunk from the header that was just read. */
  #keep(chunk: Buffer, at: number): void {
    const { headerStart, header, headerSize } = this.#scanner;
    this.#kept = headerStart >= 0 ? chunk.subarray(headerStart) : Buffer.concat([header.subarray(0, headerSize), chunk.subarray(at)]);
    this.#keptAt = headerStart >= 0 ? at - headerStart : headerSize;
  }

  /** @param betweenFrames what was passed last ended at the end of a frame, though the scanner is further */
  #exceed(limit: Limit, betweenFrames = true): void {
    this.#cut = betweenFrames;
    this.#rates = undefined;
    this.#throttled = false;
    this.#parts.events.exceeded(limit);
    this.#cut = true;
    this.#walkKept(); // for a close frame in it
  }

  #closeFrame(): void {
    this.state.said = this.#scanner.closeCode;
    if (this.other && !this.#cut) this.other.state.told = true;
    this.#parts.events.closed(this.side, this.#scanner.closeCode);
    this.#parts.events.changed();
  }

  #broken(): void {
    this.#parts.events.broke(this.side, this.#scanner.broken);
    this.#parts.events.changed();
  }

  #pass(bytes: Buffer): void {
    const to = this.other;
    if (!to || this.#cut || to.state.told || to.state.gone || to.socket.destroyed || bytes.length === 0) return;
    if (!to.socket.write(bytes)) this.socket.pause();
  }
}
