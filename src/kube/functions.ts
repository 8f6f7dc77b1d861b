// The functions of a cluster, by watch: what the API server accepted, made complete and judged by the operator's ceilings.
import { type Ceilings, overCeilings } from '../api/ceilings.ts';
import { GROUP, PLURAL, VERSION } from '../api/names.ts';
import type { WebSocketFunction } from '../api/types.ts';
import { complete, validate } from '../api/validate.ts';
import type { ServedFunction } from '../core/served.ts';
import type { KubeClient } from './client.ts';
import { type Namespaces, Watches } from './watches.ts';

/** Who hears of functions. */
export interface FunctionEvents {
  set(fn: ServedFunction): void;
  gone(key: string): void;
  /** A fault that mends itself, for the log. */
  log(line: string): void;
}

/** A watch of the functions of these namespaces. */
export function watchFunctions(
  client: KubeClient,
  namespaces: Namespaces,
  ceilings: Ceilings,
  events: FunctionEvents,
): Watches<WebSocketFunction> {
  return new Watches<WebSocketFunction>(client, {
    base: `/apis/${GROUP}/${VERSION}`,
    resource: PLURAL,
    namespaces,
    set: (found) => events.set(servedFrom(found, ceilings)),
    gone: ({ metadata }) => events.gone(`${metadata.namespace}/${metadata.name}`),
    fault: (error) => events.log(`the watch of functions was cut: ${error.message}`),
  });
}

/** A function of the API server as the data plane sees it. One that this version cannot judge is kept, but not accepted. */
export function servedFrom(found: WebSocketFunction, ceilings: Ceilings): ServedFunction {
  const { metadata, status } = found;
  const judged = complete(found);
  const namespace = metadata.namespace ?? 'default';
  // The API server has judged the rest; a stored object of an older schema must still not be served with limits that are none.
  const problems = [
    ...validate({ ...found, metadata: { name: metadata.name, namespace } }),
    ...overCeilings(judged.spec, ceilings, namespace),
  ];
  return {
    namespace,
    name: metadata.name,
    uid: metadata.uid ?? '',
    generation: metadata.generation ?? 1,
    createdAt: new Date(metadata.creationTimestamp ?? 0).getTime(),
    spec: judged.spec,
    heldHosts: status?.hosts ?? [],
    problem: problems.map(({ path, message }) => `${path}: ${message}`).join('; '),
  };
}
