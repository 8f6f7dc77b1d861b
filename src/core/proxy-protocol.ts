// The PROXY protocol, version 2 (haproxy.org, proxy-protocol.txt): a binary header before the first byte of a connection, in which a
// load balancer of ours tells whose connection it is. Version 1, UDP and unix sockets are refused.
import { formatAddress } from './address.ts';

/** What the first bytes of a connection are. */
export type ProxyHeader =
  | { readonly kind: 'incomplete' }
  /** `source`: the client's address; undefined where the load balancer speaks for itself, as in its health checks. */
  | { readonly kind: 'header'; readonly length: number; readonly source: string | undefined }
  | { readonly kind: 'wrong'; readonly how: string };

const SIGNATURE = [0x0d, 0x0a, 0x0d, 0x0a, 0x00, 0x0d, 0x0a, 0x51, 0x55, 0x49, 0x54, 0x0a];
const FIXED = 16;
/** Address and extensions (TLVs, which are skipped); load balancers send some hundred bytes. */
const MAX_LENGTH = 4096;
const LOCAL = 0x20;
const PROXY = 0x21;
const TCP4 = 0x11;
const TCP6 = 0x21;

/** Reads the header at the start of these bytes; wrong ones are known by their first wrong byte. */
export function readProxyHeader(bytes: Uint8Array): ProxyHeader {
  if (SIGNATURE.some((byte, i) => i < bytes.length && bytes[i] !== byte)) return wrong('no PROXY protocol v2 signature');
  const [command, family] = [bytes[12], bytes[13]];
  if (command !== undefined && command !== LOCAL && command !== PROXY) return wrong('an unknown version or command');
  if (command === PROXY && family !== undefined && family !== TCP4 && family !== TCP6) return wrong('neither TCP over IPv4 nor over IPv6');
  if (bytes.length < FIXED) return { kind: 'incomplete' };
  const rest = ((bytes[14] ?? 0) << 8) | (bytes[15] ?? 0);
  if (rest > MAX_LENGTH) return wrong('a header that is too long');
  if (command === PROXY && rest < (family === TCP4 ? 12 : 36)) return wrong('a header that is too short for its addresses');
  const length = FIXED + rest;
  if (bytes.length < length) return { kind: 'incomplete' };
  return { kind: 'header', length, source: command === PROXY ? sourceOf(bytes, family === TCP4) : undefined };
}

function sourceOf(bytes: Uint8Array, v4: boolean): string {
  if (v4) return bytes.subarray(FIXED, FIXED + 4).join('.');
  return formatAddress(bytes.subarray(FIXED, FIXED + 16));
}

function wrong(how: string): ProxyHeader {
  return { kind: 'wrong', how };
}
