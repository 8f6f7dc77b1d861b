// The end of a function's output: what its author needs most where it failed, and as much of it as a pod's status, a log line and an
// Event have room for. Cuts go between two characters.

/** Most bytes of last words, and of the message of an Event (contract part 5). */
export const LAST_WORDS_BYTES = 1024;

/** The last words in this output: at most 1,024 bytes, without blanks around them. */
export function lastWords(output: string): string {
  return lastBytes(output.trimEnd(), LAST_WORDS_BYTES).trimStart();
}

/** The end of a text, at most this many bytes of UTF-8. */
export function lastBytes(text: string, most: number): string {
  // No unit of a string is less than a byte: the rest of a long text need not be encoded.
  const bytes = Buffer.from(most > 0 ? text.slice(-most) : '');
  let from = Math.max(0, bytes.length - most);
  while (isContinuation(bytes[from])) from++;
  return bytes.toString('utf8', from);
}

/** The beginning of a text, at most this many bytes of UTF-8. */
export function firstBytes(text: string, most: number): string {
  const bytes = Buffer.from(text.slice(0, most));
  let to = Math.min(bytes.length, most);
  while (to < bytes.length && isContinuation(bytes[to])) to--;
  return bytes.toString('utf8', 0, to);
}

/** Is it a byte of a character other than its first (RFC 3629, section 3)? */
function isContinuation(byte: number | undefined): boolean {
  return byte !== undefined && (byte & 0xc0) === 0x80;
}
