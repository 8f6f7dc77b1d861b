// The recording rules: every metric of SCF's Cloud Monitor for a Web function, as a series of each of our functions.

/** The labels that make a function. */
export const FUNCTION = 'function_namespace, function';

/** What a rule looks back over: the coarser of Cloud Monitor's two periods, and enough for a scrape interval of up to a minute. */
const WINDOW = '5m';

/** A metric of Cloud Monitor, and the series that answers it here. */
export interface RecordingRule {
  /** The name that Cloud Monitor gives it. */
  readonly scf: string;
  /** `level:metric:operation`; the level `function` stands for the labels `function_namespace` and `function`. */
  readonly record: string;
  readonly expr: string;
  /** What the value is, with its unit, for the docs. */
  readonly meaning: string;
}

const increase = (selector: string) => `sum by (${FUNCTION}) (increase(${selector}[${WINDOW}]))`;
const ends = (matcher: string) => increase(`socketpod_connections_total{function!=""${matcher && `,${matcher}`}}`);

/** Handshakes held and connections open: both are on their way through a pod. */
export const IN_FLIGHT = `sum by (${FUNCTION}) ({__name__=~"socketpod_(open|pending)_connections",function!=""})`;

/** Bytes that one pod of a function may use. */
export const MEMORY_LIMIT = `max by (${FUNCTION}) (socketpod_function_memory_limit_bytes)`;

const byCode = (scf: string, record: string, matcher: string, meaning: string): RecordingRule => ({
  scf,
  record: `function:socketpod_connections_${record}:increase${WINDOW}`,
  expr: ends(matcher),
  meaning,
});

/** In the order of Cloud Monitor's page. */
export const RECORDING_RULES: readonly RecordingRule[] = [
  {
    scf: 'Invocation',
    record: `function:socketpod_connections:increase${WINDOW}`,
    expr: ends(''),
    meaning: 'connections that came to their end, refused ones too',
  },
  byCode('Error', 'error', 'code!="200"', 'those that ended with another code than 200'),
  byCode('Throttle', 'throttled', 'code=~"429|432"', 'those that ended for a rate or for maxConnections'),
  byCode('Http2xx', '2xx', 'code=~"2.."', 'those that ended with 200'),
  byCode('Http432', '432', 'code="432"', 'those over maxConnections or the quota'),
  byCode('Http433', '433', 'code="433"', 'those open longer than executionTimeoutSeconds'),
  byCode('Http434', '434', 'code="434"', 'those whose container was killed for memory'),
  byCode('Http4xx', '4xx', 'code=~"4.."', 'those that ended with any 4xx'),
  byCode('Http5xx', '5xx', 'code=~"5.."', 'those that ended by a fault of the platform, or by its drain'),
  {
    scf: 'ConcurrentExecutions',
    record: `function:socketpod_connections_in_flight:max${WINDOW}`,
    expr: `max_over_time(${IN_FLIGHT}[${WINDOW}:15s])`,
    meaning: 'most connections at a time, open or held',
  },
  {
    scf: 'Duration',
    record: `function:socketpod_connection_duration_seconds:mean${WINDOW}`,
    expr: `${increase('socketpod_connection_duration_seconds_sum{function!=""}')}\n  /\n(${increase('socketpod_connection_duration_seconds_count{function!=""}')} > 0)`,
    meaning: 'mean time from the 101 to the end, in seconds; absent while none ends',
  },
  {
    scf: 'BillDuration',
    record: `function:socketpod_pod_seconds:increase${WINDOW}`,
    expr: increase('socketpod_pod_seconds_total{function!=""}'),
    meaning: 'lives of pods, from create to gone, in seconds; counted when a pod is gone',
  },
  {
    scf: 'MemDuration',
    record: `function:socketpod_pod_memory_byte_seconds:increase${WINDOW}`,
    expr: `${increase('socketpod_pod_seconds_total{function!=""}')}\n  * on (${FUNCTION})\n${MEMORY_LIMIT}`,
    meaning: 'BillDuration times the memory limit, in byte-seconds (divide by 1048576 for MB·s)',
  },
  {
    scf: 'OutFlow',
    record: `function:socketpod_message_bytes_down:increase${WINDOW}`,
    expr: increase('socketpod_message_bytes_total{function!="",direction="down"}'),
    meaning: 'payload bytes from the function to its clients',
  },
];
