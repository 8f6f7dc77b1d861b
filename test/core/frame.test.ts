// The scanner finds the same frames however the bytes are cut, and breaks where RFC 6455, section 5, says.

import type { EventEmitter } from 'node:events';
import { describe, expect, it } from 'vitest';
import * as ws from 'ws';
import { encodeClose, NO_STATUS } from '../../src/core/frame.ts';
import { closeFrame, frame, randomBy } from '../support/frames.ts';
import { cutAt, scan } from '../support/scan.ts';

/** Exported by ws, but not in its types. */
const { Receiver } = ws as unknown as { Receiver: new (options: object) => EventEmitter & { write(bytes: Uint8Array): void } };

const STREAMS: Readonly<Record<string, [Buffer[], string[]]>> = {
  'a text frame': [[frame({ opcode: 1, payload: 'hello' })], ['1!5*', 'end']],
  'a masked text frame': [[frame({ opcode: 1, payload: 'hello', mask: true })], ['1!5*', 'end']],
  'an empty frame': [
    [frame({ opcode: 2 }), frame({ opcode: 1, payload: 'x' })],
    ['2!0*', 'end', '1!1*', 'end'],
  ],
  'a 16-bit length': [[frame({ opcode: 2, payload: Buffer.alloc(300), mask: true })], ['2!300*', 'end']],
  'a 64-bit length': [[frame({ opcode: 2, payload: Buffer.alloc(70), length: 70n, mask: true })], ['2!70*', 'end']],
  'a ping between fragments': [
    [frame({ opcode: 1, fin: false, payload: 'ab' }), frame({ opcode: 9, payload: 'p', mask: true }), frame({ opcode: 0, payload: 'cd' })],
    ['1+2*', 'end', '9!1', 'end', '0!2', 'end'],
  ],
  'opcodes without a meaning': [
    [frame({ opcode: 5, payload: 'x' }), frame({ opcode: 0xc, rsv: 7 })],
    ['5!1*', 'end', '12!0', 'end'],
  ],
  'a close with code and text': [[closeFrame(1000, 'bye')], ['8!5', 'end 1000']],
  'a masked close': [[closeFrame(4001, 'bye', true)], ['8!5', 'end 4001']],
  'a close without a code': [[closeFrame(undefined, '', true)], ['8!0', `end ${NO_STATUS}`]],
  'illegal codes': [
    [closeFrame(999), closeFrame(1006)],
    ['8!2', 'end 999', '8!2', 'end 1006'],
  ],
  'a close of one byte': [[frame({ opcode: 8, payload: Buffer.from([3]), mask: true })], ['8!1', 'end 768']],
};

describe('FrameScanner', () => {
  it.each(Object.entries(STREAMS))('finds %s at every split position, byte by byte and cut at random', (_name, [frames, expected]) => {
    const stream = Buffer.concat(frames);
    expect(scan([stream])).toEqual(expected);
    for (let cut = 0; cut <= stream.length; cut++) expect(scan(cutAt(stream, [cut])), `cut at ${cut}`).toEqual(expected);
    expect(scan([...stream].map((byte) => Uint8Array.of(byte)))).toEqual(expected);
    const seed = Math.floor(Math.random() * 2 ** 32);
    const random = randomBy(seed);
    for (let round = 0; round < 50; round++) {
      const cuts = Array.from({ length: 4 }, () => Math.floor(random() * stream.length));
      expect(scan(cutAt(stream, cuts)), `seed ${seed}, cuts ${cuts}`).toEqual(expected);
    }
  });

  it.each([
    ['a control frame over 125 bytes', frame({ opcode: 9, payload: Buffer.alloc(126) })],
    ['a fragmented control frame', frame({ opcode: 9, fin: false })],
    ['a continuation without a start', frame({ opcode: 0, payload: 'x' })],
    ['a data frame inside an unfinished message', Buffer.concat([frame({ opcode: 1, fin: false }), frame({ opcode: 1 })])],
    ['a length over 2^53', frame({ opcode: 2, length: 2n ** 53n })],
  ])('breaks at %s, however it is cut', (words, stream) => {
    for (let cut = 0; cut <= stream.length; cut++) expect(scan(cutAt(stream, [cut])).at(-1)).toBe(words);
  });

  it('takes the longest length that can be counted', () => {
    expect(scan([frame({ opcode: 2, length: 2n ** 53n - 1n })])).toEqual(['2!9007199254740991*']);
  });

  it('passes over messages of 10 MiB in random pieces', () => {
    const stream = Buffer.concat([frame({ opcode: 2, payload: Buffer.alloc(10 * 2 ** 20, 7), mask: true }), closeFrame(1000)]);
    const random = randomBy(7);
    const cuts = Array.from({ length: 2000 }, () => Math.floor(random() * stream.length));
    expect(scan(cutAt(stream, cuts))).toEqual([`2!${10 * 2 ** 20}*`, 'end', '8!2', 'end 1000']);
  });

  it('ends on a million random bytes without a fault, and the same way in one piece and in many', () => {
    const seed = Math.floor(Math.random() * 2 ** 32);
    const random = randomBy(seed);
    const bytes = Buffer.from(Uint8Array.from({ length: 1_000_000 }, () => Math.floor(random() * 256)));
    for (let start = 0; start < bytes.length; start += 1000) {
      const part = bytes.subarray(start, start + 1000);
      expect(scan([...part].map((byte) => Uint8Array.of(byte))), `seed ${seed}, from ${start}`).toEqual(scan([part]));
    }
  });
});

describe('encodeClose', () => {
  it.each([[undefined], [Uint8Array.of(1, 2, 3, 4)]])('makes a frame that ws reads, masked with %j', async (mask) => {
    const receiver = new Receiver({ isServer: mask !== undefined });
    const read = new Promise((resolve) => receiver.on('conclude', (code: number, text: Buffer) => resolve([code, text.toString()])));
    receiver.write(encodeClose(1008, '429 rate exceeded', mask));
    expect(await read).toEqual([1008, '429 rate exceeded']);
  });

  it('makes a frame without a code', () => {
    expect([...encodeClose(NO_STATUS, '')]).toEqual([0x88, 0]);
    expect([...encodeClose(NO_STATUS, '', Uint8Array.of(1, 2, 3, 4))]).toEqual([0x88, 0x80, 1, 2, 3, 4]);
  });
});
