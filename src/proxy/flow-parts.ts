// What a direction of an open connection is made of, and what it reports.
import type { Socket } from 'node:net';
import type { Limit } from '../core/limit.ts';
import type { MessageSize, RateMeter } from '../core/meter.ts';
import type { Clock } from './clock.ts';
import type { Count, Traffic } from './traffic.ts';

/** The two sides of a connection. */
export type Side = 'client' | 'function';

/** What the directions report. Called synchronously, in the order of the bytes. */
export interface FlowEvents {
  /** A whole close frame came from this side and was passed on, if the other side still listens. */
  closed(from: Side, code: number): void;
  /** This side ended (FIN or reset) without a close frame. */
  dropped(from: Side): void;
  /** This side broke the framing; nothing more is read from it. `how` is for the log. */
  broke(from: Side, how: string): void;
  /** A side is over a limit for which the connection ends; nothing more of it is passed. */
  exceeded(limit: Limit): void;
  /** The client's reads are held back for this limit; told once a second at most. */
  throttled(limit: Limit): void;
  /** A fault of the program. */
  failed(error: Error): void;
  /** Something changed that the closing rules look at. */
  changed(): void;
}

/** What a direction is made of. */
export interface FlowParts {
  readonly side: Side;
  readonly socket: Socket;
  readonly size: MessageSize;
  /** Undefined for the function, which is held to no rate. */
  readonly rates: RateMeter | undefined;
  /** The totals of the function, beside those of the connection; `total` is this direction's part. */
  readonly traffic: Traffic;
  readonly total: Count;
  readonly clock: Clock;
  readonly events: FlowEvents;
}
