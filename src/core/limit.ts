// The limits of a connection as they are counted (contract part 8), and the reason with which a connection over one of them ends.
import type { CompleteSpec } from '../api/types.ts';
import type { Reason } from './outcome.ts';

/** Every limit, in the order of the docs, with the reason of the end or refusal that it causes. */
export const LIMITS = {
  message_size_up: 'request_too_large',
  message_size_down: 'response_too_large',
  bytes_per_second: 'rate_exceeded',
  messages_per_second: 'rate_exceeded',
  frames_per_second: 'frame_rate_exceeded',
  idle_timeout: 'idle_timeout',
  execution_timeout: 'execution_timeout',
  max_connections: 'max_connections',
  start_rate: 'start_rate_exceeded',
} as const satisfies Record<string, Reason>;

/** The `limit` label of `socketpod_limit_violations_total`. */
export type Limit = keyof typeof LIMITS;

/** What was done about a violation: the connection was closed, its reads were held back, or it was not let in. */
export type LimitAction = 'close' | 'throttle' | 'refuse';

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
