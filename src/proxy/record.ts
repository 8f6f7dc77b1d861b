// What is known of a connection when it has ended: one record each, the source of the log line and of everything counted.
import type { Reason } from '../core/outcome.ts';
import type { StartStages } from '../runtime/runtime.ts';

/** The end of one upgrade request, refused ones too. */
export interface ConnectionRecord {
  readonly id: string;
  /** `namespace/name`; empty when no function was found. */
  readonly function: string;
  /** Empty when no function was found, or nothing was started for it. */
  readonly functionUid: string;
  readonly reason: Reason;
  /** What went wrong, in words for the operator; never sent to a client. */
  readonly detail: string;
  /** The end of the function's output where it failed, at most 1,024 bytes, of any content; never sent to a client. */
  readonly lastWords: string;
  /** The HTTP status that the client got; 101 when the connection opened, 0 when nobody was left to answer. */
  readonly httpStatus: number;
  /** Close codes seen from each side; undefined where none came. */
  readonly clientCloseCode: number | undefined;
  readonly functionCloseCode: number | undefined;
  readonly clientAddress: string;
  /** `namespace/pod` or `pid N`; empty when nothing was started. */
  readonly backend: string;
  readonly node: string;
  readonly start: 'cold' | 'warm' | '';
  readonly stages: StartStages;
  /** Upgrade request to the 101, in ms; undefined when it did not open. */
  readonly handshakeMs: number | undefined;
  /** From the 101 to the end, in ms; 0 when it did not open. */
  readonly openMs: number;
  readonly messagesUp: number;
  readonly messagesDown: number;
  readonly bytesUp: number;
  readonly bytesDown: number;
}

/** Hears of connections. Both are called once for each that comes so far; `ended` for every upgrade request. */
export interface Observer {
  opened(opened: { readonly id: string; readonly function: string; readonly backend: string; readonly handshakeMs: number }): void;
  ended(record: ConnectionRecord): void;
}

/** The fields of a record that say nothing: no backend was started, no byte was relayed. */
export const NOTHING_HAPPENED = {
  functionUid: '',
  detail: '',
  lastWords: '',
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
