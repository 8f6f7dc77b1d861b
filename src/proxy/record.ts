// What is known of a connection: while it lives, and when it has ended: one record each, the source of the log line and of
// everything counted.
import type { State } from '../core/lifecycle.ts';
import type { Limit, LimitAction } from '../core/limit.ts';
import type { Reason } from '../core/outcome.ts';
import type { StartStages } from '../runtime/runtime.ts';

/** What is known of a connection at any time. */
export interface ConnectionFacts {
  readonly id: string;
  /** `namespace/name`; empty when no function was found. */
  readonly function: string;
  /** Empty when no function was found, or nothing was started for it. */
  readonly functionUid: string;
  readonly clientAddress: string;
  /** What let the client in: the name of an API key, or `jwt:` and the subject of a token; empty where everybody may connect. */
  readonly access: string;
  /** The client's `traceparent` header (W3C Trace Context); empty without one. */
  readonly traceparent: string;
  /** `namespace/pod` or `pid N`; empty when nothing was started. */
  readonly backend: string;
  readonly node: string;
  readonly start: 'cold' | 'warm' | '';
  readonly stages: StartStages;
  /** Upgrade request to the 101, in ms; undefined when it did not open. */
  readonly handshakeMs: number | undefined;
  /** From the 101 to the end, or to now, in ms; 0 when it did not open. */
  readonly openMs: number;
  readonly messagesUp: number;
  readonly messagesDown: number;
  readonly bytesUp: number;
  readonly bytesDown: number;
}

/** A connection that lives. */
export interface ConnectionView extends ConnectionFacts {
  readonly state: State;
  /** Are the client's reads held back for a rate? */
  readonly throttled: boolean;
}

/** The end of one upgrade request, refused ones too. */
export interface ConnectionRecord extends ConnectionFacts {
  readonly reason: Reason;
  /** What went wrong, in words for the operator; never sent to a client. */
  readonly detail: string;
  /** The end of the function's output where it failed, at most 1,024 bytes, of any content; never sent to a client. */
  readonly lastWords: string;
  /** The HTTP status that the client got; 101 when the connection opened or was refused by a close frame, 0 when nobody was left. */
  readonly httpStatus: number;
  /** Close codes seen from each side; undefined where none came. */
  readonly clientCloseCode: number | undefined;
  readonly functionCloseCode: number | undefined;
}

/** A connection that has opened. */
export interface Opened {
  readonly id: string;
  readonly function: string;
  readonly backend: string;
  readonly start: 'cold' | 'warm';
  readonly stages: StartStages;
  readonly handshakeMs: number;
}

/** A limit was passed. */
export interface Violation {
  readonly function: string;
  readonly limit: Limit;
  /** The function code that goes with it. */
  readonly code: number;
  readonly action: LimitAction;
}

/** Why a socket ended before there was an upgrade request that could be read. */
export type SocketError = 'tls' | 'head_timeout' | 'head_too_large' | 'malformed' | 'overload';

/** Hears of all that happens in the data plane. */
export interface Observer {
  /** A function, `namespace/name`, came or changed. */
  functionServed(key: string, accepted: boolean): void;
  functionGone(key: string): void;
  /** Once for each upgrade request that comes so far. */
  opened(opened: Opened): void;
  violated(violation: Violation): void;
  /** Once for each upgrade request. */
  ended(record: ConnectionRecord): void;
  socketError(cause: SocketError): void;
}

/** One observer that tells all of these, in this order. */
export function tellAll(...observers: readonly Partial<Observer>[]): Observer {
  return {
    functionServed: (key, accepted) => observers.forEach((one) => void one.functionServed?.(key, accepted)),
    functionGone: (key) => observers.forEach((one) => void one.functionGone?.(key)),
    opened: (opened) => observers.forEach((one) => void one.opened?.(opened)),
    violated: (violation) => observers.forEach((one) => void one.violated?.(violation)),
    ended: (record) => observers.forEach((one) => void one.ended?.(record)),
    socketError: (cause) => observers.forEach((one) => void one.socketError?.(cause)),
  };
}

/** The fields of a record that say nothing: no backend was started, no byte was relayed. */
export const NOTHING_HAPPENED = {
  functionUid: '',
  detail: '',
  lastWords: '',
  access: '',
  traceparent: '',
  clientCloseCode: undefined,
  functionCloseCode: undefined,
  backend: '',
  node: '',
  start: '',
  stages: {},
  handshakeMs: undefined,
  openMs: 0,
  messagesUp: 0,
  messagesDown: 0,
  bytesUp: 0,
  bytesDown: 0,
} as const satisfies Partial<ConnectionRecord>;
