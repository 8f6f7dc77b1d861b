// The scanner against a reading of RFC 6455, section 5.2, that has all bytes at hand.
import fc from 'fast-check';
import { expect } from 'vitest';
import { encodeClose, NO_STATUS } from '../../src/core/frame.ts';
import { frame } from '../support/frames.ts';
import { cutAt, scan } from '../support/scan.ts';
import { fuzz } from './fuzz.ts';

/** Streams of frames that are mostly legal. */
const frames = fc
  .array(
    fc.record({
      fin: fc.boolean(),
      opcode: fc.oneof(fc.constantFrom(0, 1, 2, 8, 9, 10), fc.nat({ max: 15 })),
      rsv: fc.nat({ max: 7 }),
      mask: fc.boolean(),
      payload: fc.oneof(fc.uint8Array({ maxLength: 20 }), fc.uint8Array({ minLength: 120, maxLength: 135 })),
    }),
    { maxLength: 6 },
  )
  .map((parts) => Buffer.concat(parts.map(frame)));
const stream = fc.oneof(
  frames,
  fc.uint8Array({ maxLength: 300 }).map((bytes) => Buffer.from(bytes)),
  fc.tuple(frames, fc.array(fc.tuple(fc.nat({ max: 300 }), fc.nat({ max: 255 })), { maxLength: 3 })).map(([bytes, changes]) => {
    for (const [at, byte] of changes) if (at < bytes.length) bytes[at] = byte;
    return bytes;
  }),
);

/** What a scanner should tell of a stream that came in one piece. */
function reading(bytes: Buffer): string[] {
  const seen: string[] = [];
  let inMessage = false;
  for (let at = 0; at + 2 <= bytes.length; ) {
    const [first, second] = [bytes.readUInt8(at), bytes.readUInt8(at + 1)];
    const [fin, opcode, short] = [first >= 128, first & 15, second & 127];
    const extra = short === 126 ? 2 : short === 127 ? 8 : 0;
    const start = at + 2 + extra + (second >= 128 ? 4 : 0);
    if (start > bytes.length) break;
    const long = extra === 2 ? BigInt(bytes.readUInt16BE(at + 2)) : extra === 8 ? bytes.readBigUInt64BE(at + 2) : BigInt(short);
    if (long >= 2n ** 53n) return [...seen, 'a length over 2^53'];
    const length = Number(long);
    if (opcode >= 8) {
      if (!fin) return [...seen, 'a fragmented control frame'];
      if (length > 125) return [...seen, 'a control frame over 125 bytes'];
    } else {
      if (opcode > 0 && inMessage) return [...seen, 'a data frame inside an unfinished message'];
      if (opcode === 0 && !inMessage) return [...seen, 'a continuation without a start'];
      inMessage = !fin;
    }
    seen.push(`${opcode}${fin ? '!' : '+'}${length}${opcode > 0 && opcode < 8 ? '*' : ''}`);
    if (start + length > bytes.length) break;
    const key = second >= 128 ? bytes.subarray(start - 4, start) : Buffer.alloc(4);
    const code = [0, 1].map((i) => (i < length ? bytes.readUInt8(start + i) ^ key.readUInt8(i) : 0));
    seen.push(opcode === 8 ? `end ${length === 0 ? NO_STATUS : (code[0] ?? 0) * 256 + (code[1] ?? 0)}` : 'end');
    at = start + length;
  }
  return seen;
}

fuzz(
  'the scanner reads what the RFC says, however the bytes are cut',
  fc.tuple(stream, fc.array(fc.nat({ max: 300 }), { maxLength: 8 })),
  ([bytes, cuts]) => {
    const expected = reading(bytes);
    expect(scan([bytes])).toEqual(expected);
    const pieces = cutAt(
      bytes,
      cuts.map((cut) => cut % (bytes.length + 1)),
    );
    expect(scan(pieces)).toEqual(expected);
    expect(scan([...bytes].map((byte) => Uint8Array.of(byte)))).toEqual(expected);
  },
);

fuzz(
  'a close frame of ours says its code and text to both sides',
  fc.record({
    code: fc.integer({ min: 1000, max: 4999 }),
    text: fc.string({ unit: 'grapheme-ascii', maxLength: 123 }),
    mask: fc.option(fc.uint8Array({ minLength: 4, maxLength: 4 }), { nil: undefined }),
  }),
  ({ code, text, mask }) => {
    const bytes = encodeClose(code, text, mask);
    const empty = code === NO_STATUS;
    expect(scan([bytes])).toEqual([`8!${empty ? 0 : text.length + 2}`, `end ${code}`]);
    const start = mask ? 6 : 2;
    const payload = Buffer.from(bytes.subarray(start)).map((byte, i) => byte ^ (mask?.[i & 3] ?? 0));
    expect(Buffer.from(payload.subarray(2)).toString('latin1')).toBe(empty ? '' : text);
  },
);
