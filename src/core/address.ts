// IP addresses as numbers: whose they are, and which ones are never dialled. All are 16 bytes here, IPv4 as IPv4-mapped IPv6
// (RFC 4291, section 2.5.5.2), so that an address has one form whatever a socket or a header makes of it.

/** 16 bytes. */
export type Address = Uint8Array;

/** All addresses with these first bits. */
export interface Range {
  readonly address: Address;
  readonly bits: number;
}

/** Where the address of an IPv4-mapped one begins. */
const V4 = 12;

/** The bytes of an IPv4 or IPv6 address; undefined for anything else. The zone of a link-local one (`%eth0`) does not count. */
export function parseAddress(text: string): Address | undefined {
  const bare = text.replace(/(?<=:.*)%[^%]*$/, '');
  if (!bare.includes(':')) {
    const v4 = parseV4(bare);
    return v4 && mapped(v4);
  }
  const tail = /(?<=:)[0-9.]*\.[0-9.]*$/.exec(bare)?.[0];
  const v4 = tail === undefined ? undefined : parseV4(tail);
  if (tail !== undefined && !v4) return undefined;
  const hex = v4 ? `${bare.slice(0, -(tail ?? '').length)}${groupOf(v4, 0)}:${groupOf(v4, 2)}` : bare;
  const halves = hex.split('::');
  const [before = [], after = []] = halves.map((half) => (half === '' ? [] : half.split(':')));
  const missing = 8 - before.length - after.length;
  if (halves.length > 2 || (halves.length === 2 ? missing < 1 : missing !== 0)) return undefined;
  const groups = [...before, ...Array<string>(missing).fill('0'), ...after];
  if (!groups.every((group) => /^[0-9a-fA-F]{1,4}$/.test(group))) return undefined;
  return Uint8Array.from(groups.flatMap((group) => [Number.parseInt(group, 16) >> 8, Number.parseInt(group, 16) & 0xff]));
}

/** An address or CIDR block: `10.0.0.0/8`, `2001:db8::/32`, `192.0.2.7`. */
export function parseRange(text: string): Range | undefined {
  const [, base = '', size] = /^([^/]+)(?:\/([0-9]{1,3}))?$/.exec(text) ?? [];
  const address = parseAddress(base);
  if (!address) return undefined;
  const offset = base.includes(':') ? 0 : 8 * V4;
  const bits = size === undefined ? 128 : offset + Number(size);
  return bits <= 128 ? { address, bits } : undefined;
}

/** Is the address in the range? `::/0` has no IPv4 address in it. */
export function within(address: Address, range: Range): boolean {
  if (isV4(address) !== isV4(range.address)) return false;
  return address.every((byte, i) => {
    const mask = (0xff00 >> Math.min(8, Math.max(0, range.bits - 8 * i))) & 0xff;
    return ((byte ^ (range.address[i] ?? 0)) & mask) === 0;
  });
}

/** The address as text: IPv4 with dots, IPv6 as RFC 5952 wants it. */
export function formatAddress(address: Address): string {
  if (isV4(address)) return address.subarray(V4).join('.');
  const groups = Array.from({ length: 8 }, (_, i) => groupOf(address, 2 * i)).join(':');
  const zeros = [...groups.matchAll(/\b0(?::0)+\b/g)].map(([run]) => run).sort((a, b) => b.length - a.length)[0];
  if (zeros === undefined) return groups;
  const at = groups.search(new RegExp(`(?<![0-9a-f])${zeros}(?![0-9a-f])`));
  return `${groups.slice(0, at).replace(/:$/, '')}::${groups.slice(at + zeros.length).replace(/^:/, '')}`;
}

/** A range as a CIDR block, in its one form: `10.1.2.3/8` is 10.0.0.0/8. */
export function formatRange({ address, bits }: Range): string {
  const base = address.map((byte, i) => byte & ((0xff00 >> Math.min(8, Math.max(0, bits - 8 * i))) & 0xff));
  const v4 = isV4(address) && bits >= 8 * V4;
  return `${formatAddress(base)}/${v4 ? bits - 8 * V4 : bits}`;
}

/** Is it of IPv4? */
export function isV4Range({ address }: Range): boolean {
  return isV4(address);
}

/** An address as a socket tells it, in its one form: `::ffff:192.0.2.7` is 192.0.2.7. What is no address stays as it is. */
export function plainAddress(text: string): string {
  const address = parseAddress(text);
  return address ? formatAddress(address) : text;
}

/** What stands for one user of the internet: an IPv4 address, or the /64 of an IPv6 one, of which a user has all. */
export function subscriberOf(text: string): string {
  const address = parseAddress(text);
  if (!address || isV4(address)) return text;
  return `${formatAddress(address.map((byte, i) => (i < 8 ? byte : 0)))}/64`;
}

/** Unspecified, this network, loopback, link-local, multicast and broadcast: no pod has one of these. */
const NO_POD: readonly Range[] = [
  ...['0.0.0.0/8', '127.0.0.0/8', '169.254.0.0/16', '224.0.0.0/3'],
  ...['::/96', 'fe80::/10', 'ff00::/8'],
].map((text) => parseRange(text) as Range);

/**
 * May a pod be dialled at this address?
 * @param taken addresses that are known to be somebody else's: the API server's, the nodes'
 */
export function mayDial(text: string, taken: readonly string[]): boolean {
  const address = parseAddress(text);
  if (!address || NO_POD.some((range) => within(address, range))) return false;
  const plain = formatAddress(address);
  return !taken.some((other) => plainAddress(other) === plain);
}

function parseV4(text: string): number[] | undefined {
  const parts = text.split('.');
  if (parts.length !== 4 || !parts.every((part) => /^(0|[1-9][0-9]{0,2})$/.test(part) && Number(part) < 256)) return undefined;
  return parts.map(Number);
}

function mapped(v4: readonly number[]): Address {
  return Uint8Array.from([...Array<number>(10).fill(0), 0xff, 0xff, ...v4]);
}

function isV4(address: Address): boolean {
  return address.every((byte, i) => i >= V4 || byte === (i < 10 ? 0 : 0xff));
}

/** Two bytes as a group of an IPv6 address. */
function groupOf(bytes: ArrayLike<number>, at: number): string {
  return (((bytes[at] ?? 0) << 8) | (bytes[at + 1] ?? 0)).toString(16);
}
