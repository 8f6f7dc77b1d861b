// THE table of ends: how each reason is counted, answered and closed. Every code that leaves the program stands here, and
// the tables of the docs are generated from it. Reason determines function code; nothing else may decide one.

/** What the platform does with a side of an open connection when it ends: a close code of ours, the peer's own frame, or nothing. */
export type CloseAction = number | 'passed' | 'none';

/** One row: what a reason means to the client, to the function and in the metrics. */
export interface Outcome {
  /** Function status code, the `code` label of `socketpod_connections_total`; 200 is the only success (SCF function status codes). */
  readonly code: number;
  /** The cause in words, for the tables of the docs and for `errorMessage`. */
  readonly cause: string;
  /** The main reason of its code: a function's count of it starts at 0, so that a rate over the code sees the first one. */
  readonly main?: true;
  /** Words after the code in a close reason of ours; default: the reason with blanks. ASCII. */
  readonly words?: string;
  /** Answer to a handshake that ends so: HTTP status (0: nobody is left to answer, or the function's own answer) and Retry-After in seconds. */
  readonly refusal?: { readonly status: number; readonly retryAfter?: number };
  /** Close frames of an open connection that ends so (RFC 6455, section 7.4.1). */
  readonly close?: { readonly client: CloseAction; readonly function: CloseAction };
}

const passed = { client: 'passed', function: 'passed' } as const;
const bothAway = { client: 1001, function: 1001 } as const;

const table = {
  // Ends of an open connection that the peers decide.
  normal_closure: { code: 200, main: true, cause: 'either side closed with 1000', close: passed },
  client_mandatory_extension: { code: 200, cause: 'the client closed with 1010', close: passed },
  function_internal_error: { code: 200, cause: 'the function closed with 1011', close: passed },
  function_close_code: { code: 439, cause: 'the function closed with another code', close: passed },
  function_no_status: { code: 439, cause: 'the function closed without a code', close: passed },
  function_dropped: {
    code: 439,
    cause: 'the function dropped its TCP connection',
    words: 'function exited',
    close: { client: 1011, function: 'none' },
  },
  client_going_away: { code: 456, main: true, cause: 'the client closed with 1001', close: passed },
  client_close_code: { code: 456, cause: 'the client closed with another code', close: passed },
  client_no_status: { code: 456, cause: 'the client closed without a code', close: passed },
  client_dropped: { code: 456, cause: 'the client dropped its TCP connection', close: { client: 'none', function: 1001 } },

  // Limits.
  idle_timeout: { code: 455, main: true, cause: 'no data either way for idleTimeoutSeconds', close: bothAway },
  execution_timeout: { code: 433, main: true, cause: 'open longer than executionTimeoutSeconds', close: bothAway },
  request_too_large: { code: 406, main: true, cause: 'a client message over maxMessageBytes', close: { client: 1009, function: 1001 } },
  response_too_large: { code: 407, main: true, cause: 'a function message over maxMessageBytes', close: { client: 1009, function: 1009 } },
  rate_exceeded: { code: 429, main: true, cause: 'the client sends over a rate of the function', close: { client: 1008, function: 1001 } },
  frame_rate_exceeded: { code: 429, cause: 'over --max-frames-per-second of any kind', close: { client: 1008, function: 1001 } },
  client_protocol_error: { code: 456, cause: 'the client broke the framing', close: { client: 1002, function: 1002 } },
  function_protocol_error: { code: 439, cause: 'the function broke the framing', close: { client: 1002, function: 1002 } },

  // The backend or the platform.
  memory_limit: {
    code: 434,
    main: true,
    cause: 'the container was killed for memory',
    words: 'function exited',
    refusal: { status: 502 },
    close: { client: 1011, function: 'none' },
  },
  function_exited: { code: 439, main: true, cause: 'the container exited', close: { client: 1011, function: 'none' } },
  pod_evicted: {
    code: 439,
    cause: 'the pod was evicted',
    refusal: { status: 503, retryAfter: 5 },
    close: { client: 1012, function: 'none' },
  },
  pod_deleted: {
    code: 439,
    cause: 'the pod was deleted by somebody else',
    words: 'function exited',
    refusal: { status: 503, retryAfter: 5 },
    close: { client: 1011, function: 'none' },
  },
  function_deleted: { code: 438, cause: 'the function was deleted', refusal: { status: 503, retryAfter: 5 }, close: bothAway },
  closed_by_operator: {
    code: 438,
    cause: 'an operator closed it at the admin port',
    refusal: { status: 503, retryAfter: 5 },
    close: bothAway,
  },
  drained: {
    code: 500,
    cause: 'the proxy drained and its time was over',
    close: { client: 1012, function: 1001 },
  },
  internal_error: {
    code: 500,
    main: true,
    cause: 'a fault of the platform',
    refusal: { status: 503, retryAfter: 5 },
    close: { client: 1011, function: 1001 },
  },

  // Refusals: the connection never opened.
  route_not_found: { code: 435, cause: 'no function at this host and path', refusal: { status: 404 } },
  not_websocket: { code: 436, cause: 'not a WebSocket upgrade', refusal: { status: 426 } },
  bad_handshake: { code: 436, cause: 'the handshake is malformed', refusal: { status: 400 } },
  bad_credentials: { code: 401, cause: 'no or bad credentials', refusal: { status: 401 } },
  origin_denied: { code: 441, cause: 'the origin is not allowed', refusal: { status: 403 } },
  claims_denied: { code: 441, cause: 'the token lacks a required claim', refusal: { status: 403 } },
  max_connections: { code: 432, main: true, cause: 'maxConnections is reached', refusal: { status: 429, retryAfter: 1 } },
  quota_exceeded: { code: 432, cause: "the namespace's quota is used up", refusal: { status: 429, retryAfter: 1 } },
  start_rate_exceeded: {
    code: 429,
    cause: 'pods are asked for faster than the platform allows',
    refusal: { status: 429, retryAfter: 1 },
  },
  function_not_accepted: { code: 438, cause: 'the function is not accepted', refusal: { status: 503, retryAfter: 5 } },
  draining: { code: 500, cause: 'the proxy drains', refusal: { status: 503, retryAfter: 1 } },
  overloaded: { code: 500, cause: 'too many handshakes are held', refusal: { status: 503, retryAfter: 5 } },
  image_pull_failed: { code: 444, cause: 'the image cannot be pulled', refusal: { status: 502 } },
  image_pull_timeout: { code: 447, cause: 'the pull was still going at the init timeout', refusal: { status: 504 } },
  container_start_failed: { code: 445, cause: 'the container cannot be created or started', refusal: { status: 502 } },
  pod_rejected: { code: 445, cause: 'the API server refused the pod', refusal: { status: 502 } },
  container_exited: { code: 405, cause: 'the container exited before its port opened', refusal: { status: 502 } },
  unschedulable: { code: 449, cause: 'no node with room at the init timeout', refusal: { status: 503, retryAfter: 5 } },
  port_timeout: { code: 446, cause: 'the port was not open at the init timeout', refusal: { status: 504 } },
  handshake_timeout: { code: 446, cause: 'the upgrade was not answered by the init timeout', refusal: { status: 504 } },
  pod_start_timeout: { code: 450, cause: 'the pod was not running at the init timeout', refusal: { status: 504 } },
  handshake_failed: { code: 430, cause: 'the function dropped the upgrade or did not answer with WebSocket', refusal: { status: 502 } },
  function_refused: { code: 200, cause: 'the function answered the upgrade with a status below 500', refusal: { status: 0 } },
  function_refused_5xx: { code: 430, cause: 'the function answered the upgrade with a status from 500', refusal: { status: 0 } },
  api_unavailable: { code: 500, cause: 'the API server cannot be reached', refusal: { status: 503, retryAfter: 5 } },
  client_left: { code: 499, cause: 'the client left while its pod started', refusal: { status: 0 } },
} as const satisfies Record<string, Outcome>;

/** Why a connection ended: the closed list, the `reason` label of `socketpod_connections_total`. */
export type Reason = keyof typeof table;

/** Every reason with its row; the order is that of the docs. */
export const OUTCOMES: Readonly<Record<Reason, Outcome>> = table;

/** The row of a reason. */
export function outcome(reason: Reason): Outcome {
  return OUTCOMES[reason];
}

/** `success` for function code 200, else `failure` (SCF: 200 is a success, every other code a failure). */
export function status(reason: Reason): 'success' | 'failure' {
  return OUTCOMES[reason].code === 200 ? 'success' : 'failure';
}

/** The text of a close frame of ours: begins with the function code, ASCII, at most 123 bytes (RFC 6455, section 5.5). */
export function closeText(reason: Reason): string {
  const row = OUTCOMES[reason];
  return `${row.code} ${row.words ?? reason.replaceAll('_', ' ')}`;
}

/**
 * The reason of a close frame that a peer sent.
 * @param from who sent it
 * @param code its close code; 1005 stands for a frame without one (RFC 6455, section 7.1.5)
 */
export function reasonOfClose(from: 'client' | 'function', code: number): Reason {
  if (code === 1000) return 'normal_closure';
  if (from === 'client') {
    if (code === 1010) return 'client_mandatory_extension';
    if (code === 1001) return 'client_going_away';
    return code === 1005 ? 'client_no_status' : 'client_close_code';
  }
  if (code === 1011) return 'function_internal_error';
  return code === 1005 ? 'function_no_status' : 'function_close_code';
}

/** The reason of a function's own answer to the upgrade that is not 101. */
export function reasonOfAnswer(httpStatus: number): Reason {
  return httpStatus >= 500 ? 'function_refused_5xx' : 'function_refused';
}

/** Reasons that are always answered by HTTP: they tell nothing of a function, or are its own answer. */
const ALWAYS_HTTP: readonly Reason[] = ['route_not_found', 'not_websocket', 'bad_handshake', 'function_refused', 'function_refused_5xx'];
/** Close codes of a refusal by function code (contract part 3); 1011 for the rest. */
const REFUSAL_CLOSE: Readonly<Record<number, number>> = { 429: 1013, 432: 1013, 449: 1013, 500: 1013, 401: 1008, 441: 1008 };

/** The close frame that refuses a browser's upgrade where the function has `refuseWith: CloseFrame`; undefined: HTTP it is. */
export function refusalClose(reason: Reason, id: string): { readonly code: number; readonly text: string } | undefined {
  if (ALWAYS_HTTP.includes(reason)) return undefined;
  return { code: REFUSAL_CLOSE[OUTCOMES[reason].code] ?? 1011, text: `${closeText(reason)}; id ${id}` };
}
