// What a connection can be too much of: the `limit` label of `socketpod_limit_violations_total`, with the reason each one ends in.
import type { CompleteSpec } from '../api/types.ts';
import type { Reason } from './outcome.ts';

/** What is done when a limit is passed: the connection is closed, its client read more slowly, or its upgrade refused. */
export type LimitAction = 'close' | 'throttle' | 'refuse';

interface LimitRow {
  /** Determines the function code. */
  readonly reason: Reason;
  readonly actions: readonly LimitAction[];
}

const table = {
  message_size_up: { reason: 'request_too_large', actions: ['close'] },
  message_size_down: { reason: 'response_too_large', actions: ['close'] },
  bytes_per_second: { reason: 'rate_exceeded', actions: ['throttle', 'close'] },
  messages_per_second: { reason: 'rate_exceeded', actions: ['throttle', 'close'] },
  frames_per_second: { reason: 'frame_rate_exceeded', actions: ['close'] },
  idle_timeout: { reason: 'idle_timeout', actions: ['close'] },
  execution_timeout: { reason: 'execution_timeout', actions: ['close'] },
  max_connections: { reason: 'max_connections', actions: ['refuse'] },
  start_rate: { reason: 'start_rate_exceeded', actions: ['refuse'] },
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

/** The limit in words for the log, as in `over maxMessageBytes 262144`. */
export function limitText(limit: Limit, spec: CompleteSpec, maxFramesPerSecond: number): string {
  switch (limit) {
    case 'message_size_up':
    case 'message_size_down':
      return `over maxMessageBytes ${spec.maxMessageBytes}`;
    case 'bytes_per_second':
      return `over maxBytesPerSecond ${spec.maxBytesPerSecond}`;
    case 'messages_per_second':
      return `over maxMessagesPerSecond ${spec.maxMessagesPerSecond}`;
    case 'frames_per_second':
      return `over ${maxFramesPerSecond} frames per second`;
    case 'idle_timeout':
      return `idleTimeoutSeconds ${spec.idleTimeoutSeconds}`;
    case 'execution_timeout':
      return `executionTimeoutSeconds ${spec.executionTimeoutSeconds}`;
    case 'max_connections':
      return `maxConnections ${spec.maxConnections}`;
    case 'start_rate':
      return 'pods are asked for too fast';
  }
}
