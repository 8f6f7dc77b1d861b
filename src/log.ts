// One JSON line an event, on standard output; and what makes text from outside fit to be printed.

/** Text from outside is cut to this many bytes before it is logged (contract part 6). */
const MOST = 256;
/** Fields that may be longer, in bytes: the end of a function's output is its author's text (contract part 5). */
const LONGER: Readonly<Record<string, number>> = { lastWords: 1024 };

/** Controls, C1 ones too, which terminals obey as they do ESC; and what hides, turns or ends a line for some readers. */
const UNPRINTABLE = /[\p{Cc}\p{Cf}\u2028\u2029]/gu;
const UNPRINTABLE_IN_LINES = /(?!\n)[\p{Cc}\p{Cf}\u2028\u2029]/gu;

/** Writes one line. Fields are plain values; text in them is cut and escaped. */
export function log(level: 'info' | 'warn' | 'error', message: string, fields: Readonly<Record<string, unknown>> = {}): void {
  process.stdout.write(jsonLine({ time: new Date().toISOString(), level, message, ...cutTexts(fields) }));
}

/** An object as one line of JSON in which every character can be printed. */
export function jsonLine(fields: object): string {
  return `${JSON.stringify(fields).replaceAll(UNPRINTABLE, escaped)}\n`;
}

/** The fields with their texts cut. */
export function cutTexts(fields: object): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(fields).map(([name, value]) => [name, typeof value === 'string' ? cut(value, LONGER[name] ?? MOST) : value]),
  );
}

/** Text for people: its lines stay, other controls are shown as JSON would write them. */
export function printable(text: string): string {
  return text.replaceAll(UNPRINTABLE_IN_LINES, escaped);
}

function escaped(character: string): string {
  const units = Array.from({ length: character.length }, (_, i) => character.charCodeAt(i));
  return units.map((unit) => `\\u${unit.toString(16).padStart(4, '0')}`).join('');
}

function cut(text: string, most: number): string {
  const bytes = Buffer.from(text.slice(0, most + 1)); // no unit of a string is less than a byte
  if (bytes.length <= most) return text;
  let end = most;
  while (((bytes[end] ?? 0) & 0xc0) === 0x80) end--; // between two characters
  return `${bytes.toString('utf8', 0, end)}...`;
}
