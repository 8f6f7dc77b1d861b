// What all connections of one proxy share, put together around a runtime.
import { StartRate } from '../core/fair.ts';
import { keyOf } from '../core/served.ts';
import type { Runtime } from '../runtime/runtime.ts';
import { Clock } from './clock.ts';
import { Functions } from './functions.ts';
import { Gate } from './gate.ts';
import type { Observer } from './record.ts';
import { Registry } from './registry.ts';

/** What one proxy bears, by the operator's word (contract parts 2 and 3). */
export interface Capacity {
  /** Frames of any kind that a client may send in a second. */
  readonly maxFramesPerSecond: number;
  /** Handshakes that are held at a time. */
  readonly maxPending: number;
  /** Starts of backends in a second; twice as many at once. */
  readonly maxStartsPerSecond: number;
}

/** The shared parts. */
export interface Services {
  readonly runtime: Runtime;
  readonly registry: Registry;
  readonly functions: Functions;
  readonly observer: Observer;
  readonly clock: Clock;
  readonly gate: Gate;
  readonly starts: StartRate;
  readonly capacity: Capacity;
}

/** The parts of a new proxy. The deletion of a function ends its connections. */
export function createServices(runtime: Runtime, observer: Observer, capacity: Capacity): Services {
  const registry = new Registry();
  const functions = new Functions({
    served: (fn) => observer.functionServed(keyOf(fn), fn.problem === ''),
    gone(fn) {
      registry.endAll('function_deleted', fn.uid);
      registry.forget(keyOf(fn));
      observer.functionGone(keyOf(fn));
    },
  });
  const clock = new Clock();
  const starts = new StartRate(capacity.maxStartsPerSecond, clock.now());
  return { runtime, registry, functions, observer, clock, gate: new Gate(), starts, capacity };
}
