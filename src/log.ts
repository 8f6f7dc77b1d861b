// One JSON line an event, on standard output.

/** Text from outside is cut to this many bytes before it is logged (contract part 6). */
const MOST = 256;
/** Fields that may be longer, in bytes: the end of a function's output is its author's text (contract part 5). */
const LONGER: Readonly<Record<string, number>> = { lastWords: 1024 };

/** Writes one line. Fields are plain values; text in them is escaped by JSON and cut. */
export function log(level: 'info' | 'warn' | 'error', message: string, fields: Readonly<Record<string, unknown>> = {}): void {
  const safe = Object.fromEntries(
    Object.entries(fields).map(([name, value]) => [name, typeof value === 'string' ? cut(value, LONGER[name] ?? MOST) : value]),
  );
  process.stdout.write(`${JSON.stringify({ time: new Date().toISOString(), level, message, ...safe })}\n`);
}

function cut(text: string, most: number): string {
  return Buffer.byteLength(text) <= most ? text : `${Buffer.from(text).subarray(0, most).toString('utf8')}...`;
}
