// Plain totals that the data plane adds to as it goes, so that counting a message costs an addition; the metrics read them.

/** Data messages and payload bytes of one direction. */
export interface Count {
  messages: number;
  bytes: number;
}

/** What passed through the connections of one function since it came. `up` is client to function. */
export interface Traffic {
  readonly up: Count;
  readonly down: Count;
  /** Time for which reads from clients were held back, in ms. */
  throttledMs: number;
}

/** Nothing yet. */
export function noTraffic(): Traffic {
  return { up: { messages: 0, bytes: 0 }, down: { messages: 0, bytes: 0 }, throttledMs: 0 };
}
