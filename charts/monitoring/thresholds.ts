// Where the alerts begin: every number of them, once.

/** What is compared with what; windows and times are PromQL durations. */
export const THRESHOLDS = {
  /** Over how long a share or a quantile is taken. */
  window: '10m',
  /** Shares and quantiles of fewer than this many events in the window say nothing. */
  leastEvents: 5,

  /** Share of all ends that are faults of the platform; one in a hundred. */
  platformErrorShare: 0.01,
  /** Share of a function's ends that are one code of the function's own. */
  functionFailureShare: 0.1,
  /** Share of a function's ends that are 429 or 432. */
  throttledShare: 0.1,

  /** p90 from the upgrade request to the 101, in seconds; each a bound of a bucket, so that no interpolation decides. Python's websockets gives up after 10 s. */
  coldStartSeconds: 10,
  warmStartSeconds: 1,

  /** Share of maxConnections that is used. */
  maxConnectionsShare: 0.9,

  /** Age of the last event of a watch, in seconds: bookmarks come each minute, so three are missing. */
  watchAgeSeconds: 180,
  /** Deletions that are not confirmed all through the window; a busy proxy always has some. */
  pendingDeletes: 20,
  /** Share of the calls to the API server that it does not answer, or answers with 429 or 5xx. */
  apiErrorShare: 0.05,
  /** Share of what the controller does that fails. */
  failedWorkShare: 0.5,
} as const;

/** Codes that tell of a fault in the function: its image, its container, its answers. */
export const FUNCTION_FAULTS = [405, 407, 430, 434, 439, 444, 445, 446, 447, 449, 450] as const;

/** Ends that are the platform's own fault. A rollout's (`drained`, `draining`) are not. */
export const PLATFORM_FAULTS = ['internal_error', 'api_unavailable', 'overloaded'] as const;
