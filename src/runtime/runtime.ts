// Where a backend comes from: the one interface that the data plane knows. Expected ends are values, never exceptions.
import type { Socket } from 'node:net';
import type { Reason } from '../core/outcome.ts';
import type { ServedFunction } from '../core/served.ts';

/** What a runtime is asked for: one backend for one connection. */
export interface StartRequest {
  readonly fn: ServedFunction;
  /** The connection's id, which is the request id. */
  readonly connectionId: string;
  /**
   * Aborted when the start is over before it succeeded: the init timeout, or the client left. The runtime then removes what it
   * made and resolves with the reason that holds at this moment (contract part 3: unschedulable, image_pull_timeout, ...).
   */
  readonly signal: AbortSignal;
}

/** Why a start's signal was aborted when that was the init timeout; anything else: nobody waits for the backend any more. */
export const INIT_TIMEOUT = 'init timeout';

/** How long each stage of a start took, in milliseconds; a stage that did not happen is absent. `admit` and `handshake` are the proxy's. */
export interface StartStages {
  admit?: number;
  create?: number;
  schedule?: number;
  container?: number;
  port?: number;
  handshake?: number;
}

/** A start that failed: why, and words for the log (they may name images and nodes, so they never go to a client). */
export interface StartFailure {
  readonly ok: false;
  readonly reason: Reason;
  readonly detail: string;
  /** The end of the function's output (core/last-words.ts); absent where it never ran, or said nothing. */
  readonly lastWords?: string;
}

/** Why a function's socket dropped, for the record. */
export interface Cause {
  readonly reason: Reason;
  /** In words for the operator, as in `exit code 7`; empty when nothing more is known. */
  readonly detail: string;
  /** The end of the function's output (core/last-words.ts); empty unless it ended with an error. */
  readonly lastWords: string;
}

/** The answer to a StartRequest. */
export type Started = { readonly ok: true; readonly backend: Backend } | StartFailure;

/** One pod or local process that serves one connection and never a second one. */
export interface Backend {
  /** Name for people: the pod's `namespace/name`, or `pid 4711`. */
  readonly name: string;
  /** The node it runs on, where there is one. */
  readonly node: string | undefined;
  /** Whether it was waiting already (`warm`) or was started for this connection (`cold`). */
  readonly start: 'cold' | 'warm';
  readonly stages: StartStages;
  /** An open TCP connection to the function's port on which no byte has gone either way. The caller owns it. */
  readonly socket: Socket;
  /** Resolves when it is gone for good while its socket may still look alive (a pod object that vanished); else never. */
  readonly vanished: Promise<void>;
  /** What others did to it so far (eviction, deletion), by the newest knowledge in memory; undefined when nothing is known. */
  noted(): 'pod_evicted' | 'pod_deleted' | undefined;
  /** Its connection has opened: what need not be done before the 101 is done now. */
  opened(): void;
  /**
   * Ends the backend. Idempotent, returns at once, keeps trying until it is gone.
   * @param dropped the function's socket dropped: its end shows soonest when it is ended with the least grace
   */
  stop(dropped: boolean): void;
  /**
   * Why the function's socket dropped: resolves as soon as the cause is known, with `function_dropped` when none showed up in
   * `withinMs` (contract part 2: the recorded reason waits up to 2 s). To be called together with stop().
   */
  cause(withinMs: number): Promise<Cause>;
}

/** A source of backends: child processes, a server that already runs, or pods. */
export interface Runtime {
  /** Is there no place for another connection of this function, by all that is in memory? Absent: there always is one. */
  full?(fn: ServedFunction): boolean;
  /** Would a start now get a backend that was waiting already? To be asked in the tick of the start; absent: never. */
  waiting?(fn: ServedFunction): boolean;
  /** Always resolves; rejects only on a fault of the program. */
  start(request: StartRequest): Promise<Started>;
  /** Resolves when nothing that this runtime started is left, or after `withinMs`. Nothing can be started afterwards. */
  close(withinMs: number): Promise<void>;
}
