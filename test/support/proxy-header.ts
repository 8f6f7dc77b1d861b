// PROXY protocol v2 headers, made by hand so that wrong ones can be made too.

/** The parts of a header; what is not given is that of a right one. */
export interface HeaderParts {
  readonly command?: number;
  readonly family?: number;
  /** Address block and extensions. */
  readonly rest?: readonly number[];
  /** A length that is told, whatever `rest` is. */
  readonly length?: number;
}

export const TCP4 = [203, 0, 113, 9, 10, 0, 0, 1, 0x12, 0x34, 0x01, 0xbb];
const V6 = (last: number) => [0x20, 0x01, 0x0d, 0xb8, ...Array<number>(11).fill(0), last];
export const TCP6 = [...V6(9), ...V6(1), 0x12, 0x34, 0x01, 0xbb];

/** The bytes of a header. */
export function proxyHeader({ command = 0x21, family = 0x11, rest = TCP4, length = rest.length }: HeaderParts = {}): Buffer {
  return Buffer.from([...Buffer.from('\r\n\r\n\0\r\nQUIT\n'), command, family, length >> 8, length & 0xff, ...rest]);
}
