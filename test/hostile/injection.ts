// Text by which a client tries to write into the log or the terminal of an operator, and what a log line must be whatever it sends.
import { expect } from 'vitest';
import { upgradeHead } from '../support/raw-client.ts';

/** As bytes, one a character; those that HTTP forbids in a value are refused with it. */
const TEXTS = [
  'one\ntwo',
  'one\r\n{"level":"error","message":"forged"}',
  '"}\\n{"event":"end","code":200}',
  '\\u000a\\u001b[2J',
  '\x1b]0;title\x07\x1b[2J',
  '\x9b2J\x9d0;title\x9c\x85', // C1 controls: a terminal takes them for ESC [ and the like
  Buffer.from('\u2028line\u2029\u202etxt.exe\u200b\ufeff').toString('latin1'),
  Buffer.from('\x85\x9b31m').toString('latin1'),
  '\xff'.repeat(15_000),
  'x'.repeat(102_400),
];
const PLACES: readonly ((text: string) => string)[] = [
  (text) => upgradeHead('/', [`traceparent: ${text}`]),
  (text) => upgradeHead('/', [`Origin: ${text}`, `User-Agent: ${text.slice(0, 300)}`, `Cookie: ${text.slice(0, 300)}`]),
  (text) => upgradeHead('/', [`Host: ${text}`], ['Host']),
  (text) => upgradeHead('/', [`Sec-WebSocket-Key: ${text}`], ['Sec-WebSocket-Key']),
  (text) => upgradeHead(`/${text}`),
  (text) => upgradeHead(`/a?${text}`),
  (text) => upgradeHead(`/${encodeURIComponent(text)}`),
  (text) => upgradeHead('/').replace('GET', () => text),
];

/** Each text in each place. */
export const INJECTIONS: readonly string[] = PLACES.flatMap((place) => TEXTS.map(place));

/** Controls and format characters: nothing of them is for a log. */
const UNPRINTABLE = /[\p{Cc}\p{Cf}\u2028\u2029]/u;
/** A text from outside, and the dots of one that was cut. */
const MOST = 256 + 3;

/** Every line is one JSON object, of printable characters, with short texts; gives the objects. */
export function soundLines(output: string): Record<string, unknown>[] {
  expect(output.endsWith('\n')).toBe(true);
  return output
    .slice(0, -1)
    .split('\n')
    .map((line) => {
      expect(line).not.toMatch(UNPRINTABLE);
      expect(line).toMatch(/^\{.*\}$/);
      const fields = JSON.parse(line);
      for (const [name, value] of Object.entries(fields)) {
        if (typeof value === 'string' && name !== 'lastWords') expect(Buffer.byteLength(value), line).toBeLessThanOrEqual(MOST);
      }
      return fields;
    });
}

/** Lines for people have no control but the end of the line, and none is long. */
export function soundText(output: string): void {
  expect(output.replaceAll('\n', '')).not.toMatch(UNPRINTABLE);
  for (const line of output.split('\n')) expect(line.length, line).toBeLessThan(1000);
}
