// An upgrade request that becomes a connection, and what is known of it at any time.
import type { Socket } from 'node:net';
import type { Peer } from '../core/headers.ts';
import { type Address, headerValues } from '../core/request.ts';
import { keyOf, type ServedFunction } from '../core/served.ts';
import type { Backend } from '../runtime/runtime.ts';
import type { ConnectionFacts } from './record.ts';
import { type Count, noTraffic } from './traffic.ts';

/** A socket with a request, and whose it is. */
export interface Arrival {
  readonly socket: Socket;
  readonly peer: Peer;
  /** For log and records: the peer's, or the one that a proxy of ours tells. */
  readonly clientAddress: string;
  /** Bytes that were read before the request: those of a PROXY protocol header. */
  readonly headAt: number;
}

/** An upgrade request that was found well-formed, routed and admitted. */
export interface AcceptedUpgrade extends Arrival {
  readonly id: string;
  readonly fn: ServedFunction;
  /** Without the access token, as are the header lines: who connects has been settled. */
  readonly address: Address;
  readonly rawHeaders: readonly string[];
  /** Who may connect by what: see ConnectionFacts. */
  readonly access: string;
  /** A start token was taken for it: there was no backend that waited. */
  readonly tookToken: boolean;
  /** When the request came, by performance.now(). */
  readonly receivedAt: number;
  /** Bytes that came with the request's head. */
  readonly head: Buffer;
}

/** Moments of a connection by performance.now(); 0 for what has not happened. */
export interface Moments {
  readonly started: number;
  readonly opened: number;
  readonly now: number;
}

/** Most characters of a traceparent that are kept; a real one has 55 (W3C Trace Context, section 3.2). */
const MAX_TRACEPARENT = 256;

/** What is known of a connection by now. */
export function factsOf(
  { id, fn, clientAddress, access, rawHeaders, receivedAt }: Omit<AcceptedUpgrade, 'head'>,
  backend: Backend | undefined,
  counts: { readonly up: Count; readonly down: Count } = noTraffic(),
  { started, opened, now }: Moments = { started: 0, opened: 0, now: 0 },
): ConnectionFacts {
  return {
    id,
    function: keyOf(fn),
    functionUid: fn.uid,
    clientAddress,
    access,
    traceparent: (headerValues(rawHeaders, 'traceparent')[0] ?? '').slice(0, MAX_TRACEPARENT),
    backend: backend?.name ?? '',
    node: backend?.node ?? '',
    start: backend?.start ?? '',
    stages: { admit: started - receivedAt, ...backend?.stages },
    handshakeMs: opened > 0 ? opened - receivedAt : undefined,
    openMs: opened > 0 ? now - opened : 0,
    messagesUp: counts.up.messages,
    messagesDown: counts.down.messages,
    bytesUp: counts.up.bytes,
    bytesDown: counts.down.bytes,
  };
}
