// Puts the data plane together around a runtime: what all its connections share.
import type { Runtime } from '../runtime/runtime.ts';
import type { Services } from './connection.ts';
import { Functions } from './functions.ts';
import type { Observer } from './record.ts';
import { Registry } from './registry.ts';

/** The shared parts of one proxy. The deletion of a function ends its connections. */
export function createServices(runtime: Runtime, observer: Observer): Services {
  const registry = new Registry();
  const functions = new Functions((fn) => registry.endAll('function_deleted', fn.uid));
  return { runtime, registry, functions, observer };
}
