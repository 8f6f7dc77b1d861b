// A proxy for a test: a listener on a free port, a runtime, the records of all that ended, and a check that nothing is left.
import type { CompleteSpec } from '../../src/api/types.ts';
import type { ServedFunction } from '../../src/core/served.ts';
import { type ListenerOptions, listen } from '../../src/proxy/listener.ts';
import { type ConnectionRecord, type Observer, type SocketError, tellAll, type Violation } from '../../src/proxy/record.ts';
import { type Capacity, createServices, type Services } from '../../src/proxy/services.ts';
import type { Runtime } from '../../src/runtime/runtime.ts';
import { until } from './ports.ts';

/** A spec with the defaults of contract part 4 and wide limits where a test does not care. */
export function spec(part: Partial<CompleteSpec> = {}): CompleteSpec {
  return {
    template: { spec: { containers: [{ name: 'function' }] } },
    port: 9000,
    initTimeoutSeconds: 90,
    idleTimeoutSeconds: 60,
    executionTimeoutSeconds: 7200,
    maxMessageBytes: Number.MAX_SAFE_INTEGER,
    maxBytesPerSecond: Number.MAX_SAFE_INTEGER,
    maxMessagesPerSecond: Number.MAX_SAFE_INTEGER,
    onRateExceeded: 'Throttle',
    maxConnections: 100,
    warmPods: 0,
    refuseWith: 'HTTPStatus',
    ...part,
  };
}

let uids = 0;

/** A function `test/NAME` on its default route. */
export function served(name = 'echo', part: Partial<CompleteSpec> = {}, more: Partial<ServedFunction> = {}): ServedFunction {
  return {
    namespace: 'test',
    name,
    uid: `uid-${++uids}`,
    generation: 1,
    createdAt: uids,
    spec: spec(part),
    heldHosts: [],
    problem: '',
    ...more,
  };
}

/** A running proxy of a test. */
export interface TestProxy {
  readonly port: number;
  readonly url: string;
  readonly services: Services;
  readonly records: ConnectionRecord[];
  readonly violations: Violation[];
  readonly socketErrors: SocketError[];
  /** Waits until `count` connections have ended and gives their records. */
  ended(count: number, withinMs?: number): Promise<ConnectionRecord[]>;
  /** Ends the proxy; fails when a connection is left that nobody ends. */
  stop(): Promise<void>;
}

/** What a test may want otherwise. */
export interface TestProxyOptions extends Pick<ListenerOptions, 'certificates' | 'entrance'> {
  readonly headTimeoutMs?: number;
  readonly observer?: Partial<Observer>;
  readonly capacity?: Partial<Capacity>;
}

/** What a proxy bears where a test does not care: the rate of frames alone is the usual one. */
const WIDE: Capacity = { maxFramesPerSecond: 2000, maxPending: 1_000_000, maxStartsPerSecond: 1_000_000 };

/** Starts a proxy on a free port with these functions. */
export async function startProxy(
  runtime: Runtime,
  functions: ServedFunction[],
  { headTimeoutMs = 10_000, observer = {}, capacity = {}, ...listener }: TestProxyOptions = {},
): Promise<TestProxy> {
  const records: ConnectionRecord[] = [];
  const violations: Violation[] = [];
  const socketErrors: SocketError[] = [];
  const all = tellAll(observer, {
    violated: (violation) => void violations.push(violation),
    ended: (record) => void records.push(record),
    socketError: (cause) => void socketErrors.push(cause),
  });
  const services = createServices(runtime, all, { ...WIDE, ...capacity });
  for (const fn of functions) services.functions.set(fn);
  const server = await listen({ host: '127.0.0.1', port: 0, headTimeoutMs, ...listener }, services);
  return {
    port: server.port,
    url: `ws://127.0.0.1:${server.port}/test/echo`,
    services,
    records,
    violations,
    socketErrors,
    async ended(count, withinMs) {
      await until(`${count} connections have ended`, () => records.length >= count, withinMs);
      return records;
    },
    async stop() {
      await until('the registry is empty', () => services.registry.size === 0);
      await runtime.close(10_000);
      await server.close();
    },
  };
}
