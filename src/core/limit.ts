// What a connection can be too much of: the `limit` label of `socketpod_limit_violations_total`, with the reason each one ends in.
import type { CompleteSpec } from '../api/types.ts';
import type { Reason } from './outcome.ts';

/** What is done when a limit is passed: the connection is closed, its client read more slowly, or its upgrade refused. */
export type LimitAction = 'close' | 'throttle' | 'refuse';

interface LimitRow {
  /** Determines the function code. */
  readonly reason: Reason;
  readonly actions: readonly LimitAction[];
  /** The field of the spec that sets it, or the option of the platform. */
  readonly setBy: keyof CompleteSpec | `--${string}`;
}

const table = {
  message_size_up: { reason: 'request_too_large', actions: ['close'], setBy: 'maxMessageBytes' },
  message_size_down: { reason: 'response_too_large', actions: ['close'], setBy: 'maxMessageBytes' },
  bytes_per_second: { reason: 'rate_exceeded', actions: ['throttle', 'close'], setBy: 'maxBytesPerSecond' },
  messages_per_second: { reason: 'rate_exceeded', actions: ['throttle', 'close'], setBy: 'maxMessagesPerSecond' },
  frames_per_second: { reason: 'frame_rate_exceeded', actions: ['close'], setBy: '--max-frames-per-second' },
  idle_timeout: { reason: 'idle_timeout', actions: ['close'], setBy: 'idleTimeoutSeconds' },
  execution_timeout: { reason: 'execution_timeout', actions: ['close'], setBy: 'executionTimeoutSeconds' },
  max_connections: { reason: 'max_connections', actions: ['refuse'], setBy: 'maxConnections' },
  start_rate: { reason: 'start_rate_exceeded', actions: ['refuse'], setBy: '--max-starts-per-second' },
} as const satisfies Record<string, LimitRow>;

/** A limit of contract part 4, or one of the platform's own. */
export type Limit = keyof typeof table;

/** Every limit with its row. */
export const LIMITS: Readonly<Record<Limit, LimitRow>> = table;

/** The limit that refused a connection for this reason; undefined when no limit did. */
export function refusingLimit(reason: Reason): Limit | undefined {
  if (reason === 'max_connections') return 'max_connections';
  return reason === 'start_rate_exceeded' ? 'start_rate' : undefined;
}

/** The limit in words for the log, as in `maxMessageBytes 262144`. */
export function limitText(limit: Limit, spec: CompleteSpec, maxFramesPerSecond: number): string {
  const { setBy } = LIMITS[limit];
  if (!isField(setBy)) return `${setBy} ${maxFramesPerSecond}`;
  return `${setBy} ${spec[setBy]}`;
}

function isField(setBy: LimitRow['setBy']): setBy is keyof CompleteSpec {
  return !setBy.startsWith('--');
}
