// The functions of a cluster, by watch: what the API server accepted, made complete and judged by the operator's rules; and their
// status, which the controller writes.
import { type Ceilings, overCeilings } from '../api/ceilings.ts';
import { deniedHosts, type HostRules } from '../api/host-rules.ts';
import { API_VERSION, GROUP, KIND, PLURAL, VERSION } from '../api/names.ts';
import type { Problem } from '../api/problem.ts';
import type { CompleteSpec, WebSocketFunction, WebSocketFunctionStatus } from '../api/types.ts';
import { complete, validate } from '../api/validate.ts';
import { type AcceptedReason, conditionOf } from '../core/conditions.ts';
import { keyOf, type ServedFunction } from '../core/served.ts';
import type { KubeClient } from './client.ts';
import { type Namespaces, Watches } from './watches.ts';

const BASE = `/apis/${GROUP}/${VERSION}`;
/** Whose fields the status is made of (server-side apply). */
const FIELD_MANAGER = 'socketpod-controller';

/** What the operator lets functions have. */
export interface OperatorRules {
  readonly ceilings: Ceilings;
  /** Undefined: every host may be claimed. */
  readonly hostRules: HostRules;
}

/** A watch of the functions of these namespaces, as they are stored. */
export function watchStoredFunctions(
  client: KubeClient,
  namespaces: Namespaces,
  events: { set(found: WebSocketFunction): void; gone(found: WebSocketFunction): void; log(line: string): void },
): Watches<WebSocketFunction> {
  return new Watches<WebSocketFunction>(client, {
    base: BASE,
    resource: PLURAL,
    namespaces,
    set: (found) => events.set(found),
    gone: (found) => events.gone(found),
    fault: (error) => events.log(`the watch of functions was cut: ${error.message}`),
  });
}

/** Why a function is not accepted, by its spec and the operator's rules alone. */
export interface Fault {
  readonly reason: AcceptedReason;
  readonly message: string;
}

/** A stored function, read. */
export interface ReadFunction {
  readonly fn: ServedFunction;
  /** Undefined: spec and rules have nothing against it. */
  readonly fault: Fault | undefined;
}

interface Judged {
  readonly uid: string;
  readonly generation: number;
  readonly spec: CompleteSpec;
  readonly deniedHosts: readonly string[];
  readonly fault: Fault | undefined;
}

/** Reads functions; what is judged by the spec is judged once per generation. */
export class FunctionReader {
  readonly #rules: OperatorRules;
  readonly #judged = new Map<string, Judged>();

  constructor(rules: OperatorRules) {
    this.#rules = rules;
  }

  /** A function of the API server as the data plane sees it. One that this version cannot judge is kept, but not accepted. */
  read(found: WebSocketFunction): ReadFunction {
    const { metadata, status } = found;
    const { namespace = 'default', name, uid = '', generation = 1 } = metadata;
    const before = this.#judged.get(keyOf({ namespace, name }));
    const judged = before?.uid === uid && before.generation === generation ? before : this.#judge(found, namespace, uid, generation);
    this.#judged.set(keyOf({ namespace, name }), judged);
    const { spec, fault } = judged;
    const createdAt = new Date(metadata.creationTimestamp ?? 0).getTime();
    const fn: ServedFunction = {
      ...{ namespace, name, uid, generation, createdAt, spec },
      heldHosts: status?.hosts ?? [],
      deniedHosts: judged.deniedHosts,
      problem: fault?.message ?? rejectionOf(found),
    };
    return { fn, fault };
  }

  /** It is gone. @returns its key */
  forget({ metadata }: WebSocketFunction): string {
    const key = keyOf({ namespace: metadata.namespace ?? 'default', name: metadata.name });
    this.#judged.delete(key);
    return key;
  }

  #judge(found: WebSocketFunction, namespace: string, uid: string, generation: number): Judged {
    const { spec } = complete(found);
    const denied = deniedHosts(spec.route?.hosts ?? [], namespace, this.#rules.hostRules);
    // The API server has judged it; a stored object of an older schema must still not be served with limits that are none.
    const invalid = validate({ ...found, metadata: { name: found.metadata.name, namespace } });
    const over = overCeilings(spec, this.#rules.ceilings, namespace);
    const mayNot = denied.map((host) => `host ${host} may not be claimed in namespace ${namespace}: the operator's host rules say so`);
    const faults: [AcceptedReason, string][] = [
      ['InvalidSpec', words(invalid)],
      ['CeilingExceeded', words(over)],
      ['HostNotAllowed', mayNot.join('; ')],
    ];
    const [reason, message] = faults.find(([, text]) => text !== '') ?? [];
    return { uid, generation, spec, deniedHosts: denied, fault: reason && { reason, message: message ?? '' } };
  }
}

function words(problems: readonly Problem[]): string {
  return problems.map(({ path, message }) => `${path}: ${message}`).join('; ');
}

/** The API server's words against the pods of this very generation, which the controller has tried; empty: none are known. */
function rejectionOf({ metadata, status }: WebSocketFunction): string {
  const accepted = conditionOf(status?.conditions, 'Accepted');
  const holds = accepted?.reason === 'PodRejected' && accepted.status === 'False' && accepted.observedGeneration === metadata.generation;
  return holds ? accepted.message : '';
}

/**
 * Writes the status of this very function (by uid). Throws a KubeError.
 * @returns the function as it is stored then
 */
export function applyStatus(client: KubeClient, fn: ServedFunction, status: WebSocketFunctionStatus): Promise<WebSocketFunction> {
  const { namespace, name, uid } = fn;
  return client.call<WebSocketFunction>('PATCH', `${BASE}/namespaces/${namespace}/${PLURAL}/${name}/status`, {
    query: { fieldManager: FIELD_MANAGER, force: 'true' },
    type: 'application/apply-patch+yaml',
    body: { apiVersion: API_VERSION, kind: KIND, metadata: { namespace, name, uid }, status },
  });
}
