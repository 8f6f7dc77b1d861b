// The rows of the contract's parts 2 and 3, written down by hand: how an open connection ends, and what a client gets that cannot
// open one. The tests hold the program's own table (src/core/outcome.ts) to these, and run every row through the front door.

/** A close code that the platform sends, the peer's own frame, or nothing. */
export type Close = number | 'passed' | 'none';

/** One row. */
export interface Row {
  readonly name: string;
  readonly reason: string;
  /** The function code. */
  readonly code: number;
  /** Open connections: what goes to each side. */
  readonly close?: { readonly client: Close; readonly function: Close };
  /** Refusals: the HTTP status; `own`: the function's; 0: nobody is left. */
  readonly http?: number | 'own';
  /** Seconds. */
  readonly retryAfter?: number;
  /** Where it is tried: with local processes, on a real node, or not yet: it belongs to an issue that is open. */
  readonly where: 'processes' | 'node' | 'open';
}

const passed = { client: 'passed', function: 'passed' } as const;
const away = { client: 1001, function: 1001 } as const;
const dead = { client: 1011, function: 'none' } as const;

function end(reason: string, code: number, close: Row['close'], where: Row['where'] = 'processes', name = reason): Row {
  return { name, reason, code, where, ...(close ? { close } : {}) };
}

function refusal(reason: string, http: number | 'own', code: number, where: Row['where'] = 'processes', name = reason): Row {
  const retryAfter = http === 429 || reason === 'draining' ? 1 : http === 503 ? 5 : undefined;
  return { name: `refused ${name}`, reason, code, http, where, ...(retryAfter === undefined ? {} : { retryAfter }) };
}

/** Part 2: how an open connection ends. */
export const ENDS: readonly Row[] = [
  end('normal_closure', 200, passed, 'processes', 'normal_closure by the client'),
  end('normal_closure', 200, passed, 'processes', 'normal_closure by the function'),
  end('client_mandatory_extension', 200, passed),
  end('function_internal_error', 200, passed),
  end('function_close_code', 439, passed),
  end('function_close_code', 439, passed, 'processes', 'function_close_code 1010'),
  end('function_no_status', 439, passed),
  end('function_dropped', 439, dead),
  end('client_going_away', 456, passed),
  end('client_close_code', 456, passed),
  end('client_close_code', 456, passed, 'processes', 'client_close_code 1011'),
  end('client_no_status', 456, passed),
  end('client_dropped', 456, { client: 'none', function: 1001 }),
  end('idle_timeout', 455, away),
  end('execution_timeout', 433, away),
  end('request_too_large', 406, { client: 1009, function: 1001 }),
  end('response_too_large', 407, { client: 1009, function: 1009 }),
  end('rate_exceeded', 429, { client: 1008, function: 1001 }, 'processes', 'rate_exceeded by messages'),
  end('rate_exceeded', 429, { client: 1008, function: 1001 }, 'processes', 'rate_exceeded by bytes'),
  end('rate_exceeded', 429, { client: 1008, function: 1001 }, 'processes', 'rate_exceeded, throttled for 30 s'),
  end('frame_rate_exceeded', 429, { client: 1008, function: 1001 }),
  end('client_protocol_error', 456, { client: 1002, function: 1002 }),
  end('function_protocol_error', 439, { client: 1002, function: 1002 }),
  end('memory_limit', 434, dead, 'node'),
  end('function_exited', 439, dead),
  end('pod_evicted', 439, { client: 1012, function: 'none' }, 'node'),
  end('pod_deleted', 439, dead, 'node'),
  end('function_deleted', 438, away),
  end('function_deleted', 438, away, 'node', 'function_deleted by kubectl'),
  end('closed_by_operator', 438, away),
  end('drained', 500, { client: 1012, function: 1001 }),
  end('internal_error', 500, { client: 1011, function: 1001 }),
];

/** Part 3: what a client gets when the connection cannot open. */
export const REFUSALS: readonly Row[] = [
  refusal('route_not_found', 404, 435),
  refusal('not_websocket', 426, 436),
  refusal('bad_handshake', 400, 436, 'processes', 'bad_handshake with two Hosts'),
  refusal('bad_handshake', 400, 436, 'processes', 'bad_handshake with a dot segment'),
  refusal('bad_handshake', 426, 436, 'processes', 'bad_handshake of another version'),
  refusal('bad_handshake', 408, 436, 'processes', 'bad_handshake that is not complete'),
  refusal('bad_handshake', 431, 436, 'processes', 'bad_handshake over 16 KiB'),
  refusal('bad_handshake', 400, 436, 'processes', 'bad_handshake with over 64 KiB before the 101'),
  refusal('bad_credentials', 401, 401),
  refusal('origin_denied', 403, 441),
  refusal('claims_denied', 403, 441),
  refusal('max_connections', 429, 432),
  refusal('max_connections', 429, 432, 'processes', 'max_connections of a function that is off'),
  refusal('quota_exceeded', 429, 432, 'node'),
  refusal('start_rate_exceeded', 429, 429),
  refusal('function_not_accepted', 503, 438),
  refusal('draining', 503, 500),
  refusal('overloaded', 503, 500),
  refusal('image_pull_failed', 502, 444, 'node'),
  refusal('image_pull_timeout', 504, 447, 'node'),
  refusal('container_start_failed', 502, 445),
  refusal('pod_rejected', 502, 445, 'node'),
  refusal('container_exited', 502, 405),
  refusal('memory_limit', 502, 434, 'node'),
  refusal('unschedulable', 503, 449, 'node'),
  refusal('port_timeout', 504, 446),
  refusal('handshake_timeout', 504, 446),
  refusal('pod_start_timeout', 504, 450, 'node'),
  refusal('handshake_failed', 502, 430, 'processes', 'handshake_failed by a drop'),
  refusal('handshake_failed', 502, 430, 'processes', 'handshake_failed by garbage'),
  refusal('function_refused', 'own', 200),
  refusal('function_refused_5xx', 'own', 430),
  refusal('api_unavailable', 503, 500, 'node'),
  refusal('internal_error', 503, 500),
  refusal('pod_deleted', 503, 439, 'node'),
  refusal('pod_evicted', 503, 439, 'node'),
  refusal('function_deleted', 503, 438),
  refusal('function_deleted', 503, 438, 'node', 'function_deleted by kubectl'),
  refusal('client_left', 0, 499),
];

/** All rows. */
export const ROWS: readonly Row[] = [...ENDS, ...REFUSALS];

/** The row of this name. */
export function rowOf(name: string): Row {
  const row = ROWS.find((one) => one.name === name);
  if (!row) throw new Error(`no row ${name}`);
  return row;
}
