// A whole stream through the frame scanner.
import { expect } from 'vitest';
import { BROKEN, END, FrameScanner, HEADER, PARTIAL } from '../../src/core/frame.ts';

/** What a scanner tells of a stream, cut into these chunks. */
export function scan(chunks: readonly Uint8Array[]): string[] {
  const scanner = new FrameScanner();
  const seen: string[] = [];
  for (const chunk of chunks) {
    let at = 0;
    while (at < chunk.length || scanner.owesEnd) {
      const before = at;
      at = scanner.next(chunk, at);
      expect(at).toBeGreaterThanOrEqual(before);
      if (scanner.found === HEADER)
        seen.push(`${scanner.opcode}${scanner.fin ? '!' : '+'}${scanner.length}${scanner.begins && scanner.isData ? '*' : ''}`);
      if (scanner.found === END) seen.push(scanner.opcode === 8 ? `end ${scanner.closeCode}` : 'end');
      if (scanner.found === BROKEN) return [...seen, scanner.broken];
      if (scanner.found === PARTIAL) break;
    }
  }
  return seen;
}

/** A stream in pieces. */
export function cutAt(stream: Buffer, cuts: readonly number[]): Buffer[] {
  const all = [0, ...[...cuts].sort((a, b) => a - b), stream.length];
  return all.slice(1).map((end, i) => stream.subarray(all[i], end));
}
