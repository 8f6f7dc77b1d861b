// Which controller leads: the one whose name is in the Lease. Clocks of different machines are never compared: a stand-by counts from
// when it saw the Lease change, a leader from before it asked for the change, so the leader always stops first.

/** Times of the election, in ms. */
export interface ElectionTimes {
  /** A stand-by takes the Lease when it has not seen it change for this long. */
  readonly leaseMs: number;
  /** A leader that could not renew it for this long leads no more. Well below `leaseMs`, so that there are never two. */
  readonly deadlineMs: number;
  /** Time between renewals. */
  readonly retryMs: number;
}

export const ELECTION_TIMES: ElectionTimes = { leaseMs: 15_000, deadlineMs: 10_000, retryMs: 4000 };

/** A state of the Lease, and when it was first seen. */
export interface SeenLease {
  /** Its resourceVersion: the Lease can be taken only as long as it is in this state. */
  readonly version: string;
  /** Empty: it was released. */
  readonly holder: string;
  /** ms of a clock that only goes forward. */
  readonly seenAt: number;
}

/** The newer of two states; of the same, the one seen first. */
export function newerLease(before: SeenLease | undefined, now: SeenLease): SeenLease {
  return before && BigInt(now.version) <= BigInt(before.version) ? before : now;
}

/** How long to wait before the Lease may be taken, in ms. @param seen undefined: there is none, as far as is known */
export function takeIn(seen: SeenLease | undefined, identity: string, now: number, { leaseMs }: ElectionTimes): number {
  // Our own name without our leading: the answer to our taking it was lost.
  if (!seen || seen.holder === '' || seen.holder === identity) return 0;
  return Math.max(0, seen.seenAt + leaseMs - now);
}

/** For how long a leader may go on, in ms; 0: it must stop. @param askedAt when it sent the last renewal that succeeded */
export function leadsFor(askedAt: number, now: number, { deadlineMs }: ElectionTimes): number {
  return Math.max(0, askedAt + deadlineMs - now);
}
