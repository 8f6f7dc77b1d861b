// What a connection can be too much of: the `limit` label of `socketpod_limit_violations_total`, with the reason each one ends in.
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
