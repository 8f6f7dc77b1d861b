// The end of an open connection: what is still to be done with each side, from what has been said on it so far (RFC 6455,
// section 7). A function of values, so that every order of close frames, FINs, resets and the time limit is a row of a table.
import { NO_STATUS } from './frame.ts';

/** Closing takes at most this, everywhere (contract part 2), in ms. */
export const CLOSING_MS = 3000;

/** What is known of one side's socket. */
export interface SideState {
  /** The close code this side has sent (1005: a frame without one); undefined while it has sent no close frame. */
  said: number | undefined;
  /** A close frame was sent to this side, the other's or ours. */
  told: boolean;
  /** This side sends nothing any more: FIN, reset, or bytes that cannot be read as frames. */
  silent: boolean;
  /** We have sent our FIN to this side. */
  ended: boolean;
  /** The socket of this side is gone. */
  gone: boolean;
}

/** A side about which nothing is known yet. */
export function freshSide(): SideState {
  return { said: undefined, told: false, silent: false, ended: false, gone: false };
}

/** What to do with a side: answer its close frame with its own code, send FIN, or give its socket up once all bytes are out. */
export type ClosingStep = 'answer' | 'end' | 'destroy' | 'none';

/**
 * The next step for the side `own` while the connection is closing; called again after each step and event until `none`.
 * @param own the side to act on
 * @param other the side opposite
 * @param timeIsUp the 3 s of closing have passed
 */
export function closingStep(own: SideState, other: SideState, timeIsUp: boolean): ClosingStep {
  if (own.gone) return 'none';
  const answerable = own.said !== undefined && !own.told;
  // The other side can answer no more: the platform does it, so that the one who closed properly sees a proper end.
  if (answerable && (timeIsUp || other.gone || (other.silent && other.said === undefined))) return 'answer';
  if (timeIsUp) return 'destroy';
  // Without a close frame a FIN or reset is a drop: nothing can be said to this side any more.
  if (own.silent && own.said === undefined) return 'destroy';
  if (own.said !== undefined && own.told) {
    if (own.silent) return 'destroy';
    if (!own.ended) return 'end';
  }
  return 'none';
}

/** Is the backend of no more use? The closing handshake with the function is over, its socket has dropped, or time is up. */
export function backendDone(fn: SideState, timeIsUp: boolean): boolean {
  return timeIsUp || fn.gone || (fn.said !== undefined ? fn.told : fn.silent);
}

/**
 * The code with which the platform answers a close frame that the other side did not answer: the same one, or 1002 where that may
 * not stand on the wire (RFC 6455, section 7.4.2).
 * @param said what closingStep's side has said; 1005 stays, as a frame without a code
 */
export function answerCode(said: number): number {
  if (said === NO_STATUS) return NO_STATUS;
  const reserved = said === 1004 || said === 1006 || (said >= 1015 && said < 3000);
  return said < 1000 || said >= 5000 || reserved ? 1002 : said;
}
