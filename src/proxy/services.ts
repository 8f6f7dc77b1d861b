// What all connections of one proxy share, put together around a runtime.
import { keyOf } from '../core/served.ts';
import type { Runtime } from '../runtime/runtime.ts';
import { Clock } from './clock.ts';
import { Functions } from './functions.ts';
import type { Observer } from './record.ts';
import { Registry } from './registry.ts';

/** Frames of any kind that a client may send in a second, where the operator does not say (contract part 2). */
export const MAX_FRAMES_PER_SECOND = 2000;

/** The shared parts. */
export interface Services {
  readonly runtime: Runtime;
  readonly registry: Registry;
  readonly functions: Functions;
  readonly observer: Observer;
  readonly clock: Clock;
  readonly maxFramesPerSecond: number;
}

/** The parts of a new proxy. The deletion of a function ends its connections. */
export function createServices(runtime: Runtime, observer: Observer, maxFramesPerSecond = MAX_FRAMES_PER_SECOND): Services {
  const registry = new Registry();
  const functions = new Functions({
    served: (fn) => observer.functionServed(keyOf(fn), fn.problem === ''),
    gone(fn) {
      registry.endAll('function_deleted', fn.uid);
      registry.forget(keyOf(fn));
      observer.functionGone(keyOf(fn));
    },
  });
  return { runtime, registry, functions, observer, clock: new Clock(), maxFramesPerSecond };
}
