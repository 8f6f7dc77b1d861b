// The end of a function's output: at most 1,024 bytes of whole characters.
import { describe, expect, it } from 'vitest';
import { firstBytes, lastBytes, lastWords } from '../../src/core/last-words.ts';

describe('last words', () => {
  it.each<[string, string, string]>([
    ['nothing', '', ''],
    ['blanks', ' \n\t\r\n', ''],
    ['a line', 'exit 7\n', 'exit 7'],
    ['lines, indented ones too', '\nError: x\n    at y\n\n', 'Error: x\n    at y'],
    ['as much as there is room for', 'a'.repeat(1024), 'a'.repeat(1024)],
    ['one byte too many', `b${'a'.repeat(1024)}`, 'a'.repeat(1024)],
    ['blanks at the end, which take no room', `b${'a'.repeat(1023)}${' '.repeat(2000)}`, `b${'a'.repeat(1023)}`],
    ['a cut before a line, which takes the break', `${'b'.repeat(10)}\n${'a'.repeat(1023)}`, 'a'.repeat(1023)],
    ['characters of two bytes', 'é'.repeat(600), 'é'.repeat(512)],
    ['characters of three bytes: 341 fit', '€'.repeat(400), '€'.repeat(341)],
    ['characters of four bytes', '😀'.repeat(300), '😀'.repeat(256)],
    ['a cut within one of four bytes', `😀${'a'.repeat(1022)}`, 'a'.repeat(1022)],
    ['a cut within two units of one character', `😀${'a'.repeat(1023)}`, 'a'.repeat(1023)],
    ['half a character of two units', `\udc00${'a'.repeat(1023)}`, 'a'.repeat(1023)],
  ])('of %s', (_what, output, expected) => expect(lastWords(output)).toBe(expected));

  it('have 1,024 bytes at most and are the end of the output, wherever the cut falls', () => {
    for (const unit of ['a', 'é', '€', '😀', 'aé€😀']) {
      for (let shift = 0; shift < 8; shift++) {
        const output = unit.repeat(1100) + 'x'.repeat(shift);
        const words = lastWords(output);
        expect(output.endsWith(words)).toBe(true);
        expect(Buffer.byteLength(words)).toBeLessThanOrEqual(1024);
        expect(Buffer.byteLength(words)).toBeGreaterThan(1020);
      }
    }
  });
});

describe('bytes of a text', () => {
  it.each<[string, number, string, string]>([
    ['abc', 5, 'abc', 'abc'],
    ['abc', 3, 'abc', 'abc'],
    ['abc', 2, 'ab', 'bc'],
    ['abc', 0, '', ''],
    ['€a€', 4, '€a', 'a€'],
    ['€a€', 3, '€', '€'],
    ['€a€', 2, '', ''],
    ['😀😀', 7, '😀', '😀'],
  ])('%s, %d of them: the first are "%s", the last "%s"', (text, most, first, last) => {
    expect(firstBytes(text, most)).toBe(first);
    expect(lastBytes(text, most)).toBe(last);
  });
});
