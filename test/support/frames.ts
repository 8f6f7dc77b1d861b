// Frames of RFC 6455 for tests, made by hand so that illegal ones can be made too; and random numbers that can be had again.

/** A frame as bytes. */
export interface FrameParts {
  readonly fin?: boolean;
  readonly opcode: number;
  readonly payload?: Uint8Array | string;
  readonly mask?: boolean;
  /** A length that is told, whatever the payload is: for frames that break the framing. */
  readonly length?: bigint;
  readonly rsv?: number;
}

/** The bytes of a frame. */
export function frame({ fin = true, opcode, payload = '', mask = false, length, rsv = 0 }: FrameParts): Buffer {
  const body = Buffer.from(payload);
  const told = length ?? BigInt(body.length);
  const first = (fin ? 0x80 : 0) | (rsv << 4) | opcode;
  const bit = mask ? 0x80 : 0;
  let head: Buffer;
  if (told < 126n && length === undefined) head = Buffer.from([first, bit | Number(told)]);
  else if (told < 65_536n && length === undefined) head = Buffer.from([first, bit | 126, Number(told) >> 8, Number(told) & 0xff]);
  else {
    head = Buffer.alloc(10);
    head[0] = first;
    head[1] = bit | 127;
    head.writeBigUInt64BE(told, 2);
  }
  if (!mask) return Buffer.concat([head, body]);
  const key = Buffer.from([0x12, 0x34, 0x56, 0x78]);
  return Buffer.concat([head, key, body.map((byte, i) => byte ^ (key[i & 3] ?? 0))]);
}

/** A close frame with a code, or without one. */
export function closeFrame(code?: number, text = '', mask = false): Buffer {
  if (code === undefined) return frame({ opcode: 8, mask });
  return frame({ opcode: 8, mask, payload: Buffer.concat([Buffer.from([code >> 8, code & 0xff]), Buffer.from(text)]) });
}

/** Random numbers from 0 to below 1 by a seed (mulberry32): the same seed gives the same numbers. */
export function randomBy(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}
