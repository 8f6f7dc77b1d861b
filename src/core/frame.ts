// RFC 6455 frame headers, and nothing else: a scanner that walks beside a byte stream and says where frames begin and end, and
// the encoder of the one frame that the platform ever sends. It never copies, unmasks or assembles payload.

/** The chunk ends inside a frame header, which began at `headerStart` (-1: in an earlier chunk); its bytes are kept. */
export const PARTIAL = 0;
/** A frame header has just been completed; `fin`, `opcode`, `length` and `headerStart` describe it. */
export const HEADER = 1;
/** Payload was passed over up to the end of the chunk; more of it is to come. */
export const PAYLOAD = 2;
/** The last byte of a frame has just been passed over. */
export const END = 3;
/** The stream broke the framing (RFC 6455, section 5); `broken` says how. Nothing more can be read from it. */
export const BROKEN = 4;

/** Opcodes of RFC 6455, section 5.2. */
export const OP_CONTINUATION = 0x0;
export const OP_TEXT = 0x1;
export const OP_CLOSE = 0x8;

/** Close code of a close frame without a payload (RFC 6455, section 7.1.5). */
export const NO_STATUS = 1005;

/** The longest frame header: 2 bytes, a 64-bit length and a masking key. */
export const MAX_HEADER = 14;

/** A length from 2^53 on cannot be counted exactly; the high word of such a length is at least this. */
const HIGH_WORD_LIMIT = 0x200000;

/**
 * Follows the frames of one direction of one connection. Call `next` until it has reached the end of the chunk:
 * every call ends at a boundary (end of a header, end of a frame) or at the end of the chunk.
 */
export class FrameScanner {
  /** Of the current frame: is it the last of its message? */
  fin = false;
  /** Of the current frame: 0 to 15. */
  opcode = 0;
  /** Of the current frame: payload length in bytes. */
  length = 0;
  /** Index in the current chunk where the current header begins; -1 when it began in an earlier one. */
  headerStart = 0;
  /** With `headerStart` -1: how many bytes of `header` are the current header. */
  headerSize = 0;
  /** The bytes of a header that was cut by the end of a chunk; overwritten by the next one that is cut. */
  readonly header = new Uint8Array(MAX_HEADER);
  /** The code of the close frame that has ended; NO_STATUS when it had none. */
  closeCode = NO_STATUS;
  /** How the framing was broken; empty while it is not. */
  broken = '';
  /** Does this frame begin a message? Data frames only. */
  begins = false;

  #gathered = 0;
  #remaining = 0;
  #inPayload = false;
  #inMessage = false;
  #masked = false;
  #mask = 0;

  /** True between the header of a frame and its end: no frame of ours may go in here. */
  get inFrame(): boolean {
    return this.#inPayload;
  }

  /** True when the header of an empty frame was just read: its END needs no more bytes. */
  get owesEnd(): boolean {
    return this.#inPayload && this.#remaining === 0;
  }

  /** Is the current frame a data frame? Opcodes 3 to 7 count as data, B to F as control. */
  get isData(): boolean {
    return this.opcode < OP_CLOSE;
  }

  /** After PARTIAL: is the header that was cut a data frame's? */
  get cutIsData(): boolean {
    return ((this.header[0] ?? 0) & 0x0f) < OP_CLOSE;
  }

  /** What the last call of `next` found: PARTIAL, HEADER, PAYLOAD, END or BROKEN. */
  found = PARTIAL;

  /**
   * Reads on from `at`.
   * @returns the index of the first byte not yet read; `found` says what ends there. An empty frame gives HEADER and then END
   * with the same index.
   */
  next(chunk: Uint8Array, at: number): number {
    if (this.broken !== '') return this.#break(this.broken, at);
    if (this.#inPayload) return this.#payload(chunk, at);
    return this.#head(chunk, at);
  }

  #payload(chunk: Uint8Array, at: number): number {
    const here = Math.min(this.#remaining, chunk.length - at);
    if (this.opcode === OP_CLOSE) this.#readCloseCode(chunk, at, here);
    this.#remaining -= here;
    if (this.#remaining > 0) {
      this.found = PAYLOAD;
    } else {
      this.#inPayload = false;
      this.found = END;
    }
    return at + here;
  }

  #readCloseCode(chunk: Uint8Array, at: number, here: number): void {
    const done = this.length - this.#remaining;
    for (let i = 0; i < here && done + i < 2; i++) {
      const position = done + i;
      const raw = chunk[at + i] ?? 0;
      const byte = this.#masked ? raw ^ ((this.#mask >>> (24 - 8 * position)) & 0xff) : raw;
      this.closeCode = position === 0 ? byte << 8 : this.closeCode | byte;
    }
  }

  #head(chunk: Uint8Array, at: number): number {
    if (this.#gathered > 0) return this.#gather(chunk, at);
    const end = at + headerLength(chunk, at);
    this.headerStart = at;
    if (end > chunk.length) return this.#gather(chunk, at);
    return this.#parse(chunk, at, end);
  }

  /** The rare way: a header that is cut by the end of a chunk. */
  #gather(chunk: Uint8Array, at: number): number {
    if (this.#gathered > 0) this.headerStart = -1;
    let i = at;
    while (i < chunk.length) {
      this.header[this.#gathered++] = chunk[i++] ?? 0;
      if (this.#gathered >= 2 && this.#gathered === headerLength(this.header, 0)) {
        this.headerSize = this.#gathered;
        this.#gathered = 0;
        this.#parse(this.header, 0, this.headerSize);
        return i;
      }
    }
    this.found = PARTIAL;
    return i;
  }

  #parse(from: Uint8Array, start: number, end: number): number {
    const b0 = from[start] ?? 0;
    const b1 = from[start + 1] ?? 0;
    this.fin = (b0 & 0x80) !== 0;
    this.opcode = b0 & 0x0f;
    this.#masked = (b1 & 0x80) !== 0;
    let length = b1 & 0x7f;
    if (length === 126) {
      length = ((from[start + 2] ?? 0) << 8) | (from[start + 3] ?? 0);
    } else if (length === 127) {
      const high = word(from, start + 2);
      if (high >= HIGH_WORD_LIMIT) return this.#break('a length over 2^53', end);
      length = high * 0x1_0000_0000 + word(from, start + 6);
    }
    this.length = length;
    if (this.opcode >= OP_CLOSE) {
      if (!this.fin) return this.#break('a fragmented control frame', end);
      if (length > 125) return this.#break('a control frame over 125 bytes', end);
      if (this.opcode === OP_CLOSE) this.closeCode = length === 0 ? NO_STATUS : 0;
    } else {
      this.begins = this.opcode !== OP_CONTINUATION;
      if (this.begins && this.#inMessage) return this.#break('a data frame inside an unfinished message', end);
      if (!this.begins && !this.#inMessage) return this.#break('a continuation without a start', end);
      this.#inMessage = !this.fin;
    }
    if (this.#masked) this.#mask = word(from, end - 4);
    this.#remaining = length;
    this.#inPayload = true;
    this.found = HEADER;
    return end;
  }

  #break(how: string, at: number): number {
    this.broken = how;
    this.found = BROKEN;
    return at;
  }
}

/** Bytes of the header at `at`, as far as the chunk shows; more than the chunk has when it is cut. */
function headerLength(chunk: Uint8Array, at: number): number {
  const b1 = chunk[at + 1];
  if (b1 === undefined) return MAX_HEADER + 1;
  const short = b1 & 0x7f;
  return 2 + (short < 126 ? 0 : short === 126 ? 2 : 8) + (b1 & 0x80 ? 4 : 0);
}

function word(from: Uint8Array, at: number): number {
  return (((from[at] ?? 0) << 24) | ((from[at + 1] ?? 0) << 16) | ((from[at + 2] ?? 0) << 8) | (from[at + 3] ?? 0)) >>> 0;
}

/**
 * A close frame (RFC 6455, section 5.5.1).
 * @param code close code; NO_STATUS makes a frame without a payload
 * @param text ASCII, at most 123 bytes
 * @param maskKey four bytes when the frame goes to a server (section 5.3), undefined towards a client
 */
export function encodeClose(code: number, text: string, maskKey?: Uint8Array): Uint8Array {
  const length = code === NO_STATUS ? 0 : 2 + text.length;
  const start = maskKey ? 6 : 2;
  const frame = new Uint8Array(start + length);
  frame[0] = 0x80 | OP_CLOSE;
  frame[1] = (maskKey ? 0x80 : 0) | length;
  if (maskKey) frame.set(maskKey, 2);
  for (let i = 0; i < length; i++) {
    const byte = i === 0 ? code >> 8 : i === 1 ? code & 0xff : text.charCodeAt(i - 2);
    frame[start + i] = maskKey ? byte ^ (maskKey[i & 3] ?? 0) : byte;
  }
  return frame;
}
