// One JSON line an event, on standard output.

/** Text from outside is cut to this many bytes before it is logged (contract part 6). */
const MOST = 256;

/** Writes one line. Fields are plain values; text in them is escaped by JSON and cut. */
export function log(level: 'info' | 'warn' | 'error', message: string, fields: Readonly<Record<string, unknown>> = {}): void {
  const safe = Object.fromEntries(Object.entries(fields).map(([name, value]) => [name, typeof value === 'string' ? cut(value) : value]));
  process.stdout.write(`${JSON.stringify({ time: new Date().toISOString(), level, message, ...safe })}\n`);
}

function cut(text: string): string {
  return Buffer.byteLength(text) <= MOST ? text : `${Buffer.from(text).subarray(0, MOST).toString('utf8')}...`;
}
