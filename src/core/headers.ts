// The client's upgrade request -> the one that the function sees (contract part 5). What identifies the connection is set by
// the platform; whatever a client sends under those names is dropped.

import { headerTokens } from './request.ts';
import type { ServedFunction } from './served.ts';

/** Names that only the platform may set, compared after `reservedForm`. */
const RESERVED = new Set(['forwarded', 'x-real-ip', 'x-request-id']);
const RESERVED_PREFIXES = ['x-scf-', 'x-socketpod-', 'x-forwarded-'];
/**
 * Hop-by-hop by RFC 9110, section 7.6.1, whether `Connection` names them or not; and `Expect`, which is about a body that an upgrade
 * does not have (section 10.1.1).
 */
const HOP_BY_HOP = new Set([
  'connection',
  'keep-alive',
  'proxy-connection',
  'proxy-authorization',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
  'expect',
]);

/** Who is at the other end of a client's socket. */
export interface Peer {
  /** The address of our TCP peer, or the one that a proxy of ours told by the PROXY protocol. */
  readonly address: string;
  /** Is that a proxy of ours, whose X-Forwarded-* are to be believed? */
  readonly trusted: boolean;
  readonly proto: 'http' | 'https';
}

/** What the platform knows about a request beside its header lines. */
export interface RequestContext {
  readonly fn: ServedFunction;
  readonly requestId: string;
  readonly peer: Peer;
}

/** Header lines by lower-case name; several lines of a name stay several. */
export type HeaderLines = Record<string, string | string[]>;

/** The header lines for the function. */
export function backendHeaders(rawHeaders: readonly string[], context: RequestContext): HeaderLines {
  const dropped = new Set(headerTokens(rawHeaders, 'connection').map((name) => name.toLowerCase()));
  const lines = emptyLines();
  const forwarded = emptyLines();
  for (let i = 0; i + 1 < rawHeaders.length; i += 2) {
    const name = (rawHeaders[i] ?? '').toLowerCase();
    const value = rawHeaders[i + 1] ?? '';
    if (HOP_BY_HOP.has(name)) continue;
    if (isReserved(name)) {
      if (context.peer.trusted) add(forwarded, name, value);
      continue;
    }
    // A handshake cannot do without these, whatever Connection says of them.
    if (dropped.has(name) && name !== 'host' && !name.startsWith('sec-websocket-')) continue;
    add(lines, name, value);
  }
  lines.connection = 'Upgrade';
  lines.upgrade = 'websocket';
  const host = typeof lines.host === 'string' ? lines.host : '';
  lines['x-forwarded-for'] = [...all(forwarded, 'x-forwarded-for'), context.peer.address].join(', ');
  lines['x-forwarded-proto'] = all(forwarded, 'x-forwarded-proto')[0] ?? context.peer.proto;
  lines['x-forwarded-host'] = all(forwarded, 'x-forwarded-host')[0] ?? host;
  lines['x-request-id'] = context.requestId;
  Object.assign(lines, scfHeaders(context));
  return lines;
}

/** Is this name one of those that only the platform sets? `_` counts as `-`, as some servers map both to one variable. */
export function isReserved(name: string): boolean {
  const form = name.toLowerCase().replaceAll('_', '-');
  return RESERVED.has(form) || RESERVED_PREFIXES.some((prefix) => form.startsWith(prefix));
}

/** For code moved from SCF: the headers it knows. Memory in MB, 0 when the container has no memory limit. */
function scfHeaders({ fn, requestId }: RequestContext): HeaderLines {
  const memory = fn.spec.template.spec.containers[0]?.resources?.limits?.memory;
  return {
    'x-scf-request-id': requestId,
    'x-scf-name': fn.name,
    'x-scf-namespace': fn.namespace,
    'x-scf-version': String(fn.generation),
    'x-scf-timeout': String(fn.spec.executionTimeoutSeconds),
    'x-scf-memory': String(Math.floor(bytesOfQuantity(memory) / 1_048_576)),
  };
}

const UNITS: Readonly<Record<string, number>> = {
  '': 1,
  m: 1e-3,
  k: 1e3,
  M: 1e6,
  G: 1e9,
  T: 1e12,
  Ki: 2 ** 10,
  Mi: 2 ** 20,
  Gi: 2 ** 30,
  Ti: 2 ** 40,
};

/** A Kubernetes quantity (`128Mi`, `1e9`, 1000) as a number; 0 when it is absent or not one. */
export function bytesOfQuantity(quantity: unknown): number {
  const match = /^([0-9.]+(?:[eE][+-]?[0-9]+)?)([A-Za-z]*)$/.exec(String(quantity ?? ''));
  const unit = UNITS[match?.[2] ?? ''];
  return match && unit !== undefined ? Number(match[1]) * unit : 0;
}

/** Without a prototype: `constructor` and `__proto__` are names like any other. */
function emptyLines(): HeaderLines {
  return Object.create(null);
}

function add(lines: HeaderLines, name: string, value: string): void {
  const before = lines[name];
  if (before === undefined) lines[name] = value;
  else if (Array.isArray(before)) before.push(value);
  else lines[name] = [before, value];
}

function all(lines: HeaderLines, name: string): string[] {
  return [lines[name] ?? []].flat();
}
