// The functions that the controller knows, read and judged, and whose each host is. Tells which functions and namespaces a change
// is for.
import type { WebSocketFunction } from '../api/types.ts';
import { claimsOf, type HostOwners, hostOwners } from '../core/route.ts';
import { keyOf } from '../core/served.ts';
import { FunctionReader, type OperatorRules, type ReadFunction } from '../kube/functions.ts';

/** One function. */
export interface Entry extends ReadFunction {
  /** As it is stored, by the newest knowledge. */
  readonly found: WebSocketFunction;
}

/** Who hears of changes. */
export interface FunctionSetEvents {
  /** What its status is made of may have changed. */
  function(key: string): void;
  /** What its NetworkPolicy is made of may have changed. */
  namespace(name: string): void;
  gone(key: string): void;
}

/** Fed by the watch, and by the answers to our own writes, which the watch shows later. */
export class FunctionSet {
  readonly #reader: FunctionReader;
  readonly #events: FunctionSetEvents;
  readonly #entries = new Map<string, Entry>();
  #owners: HostOwners | undefined;

  constructor(rules: OperatorRules, events: FunctionSetEvents) {
    this.#reader = new FunctionReader(rules);
    this.#events = events;
  }

  /** By `namespace/name`. */
  get(key: string): Entry | undefined {
    return this.#entries.get(key);
  }

  all(): IterableIterator<[string, Entry]> {
    return this.#entries.entries();
  }

  /** Whose each host is, by spec and status of all. */
  owners(): HostOwners {
    this.#owners ??= hostOwners([...this.#entries.values()].map(({ fn }) => fn));
    return this.#owners;
  }

  /** The ports of the functions of a namespace. */
  ports(namespace: string): number[] {
    return [...this.#entries.values()].filter(({ fn }) => fn.namespace === namespace).map(({ fn }) => fn.spec.port);
  }

  /** The namespaces that have functions. */
  namespaces(): Set<string> {
    return new Set([...this.#entries.values()].map(({ fn }) => fn.namespace));
  }

  /** It is there, or has changed. */
  set(found: WebSocketFunction): void {
    const entry = { ...this.#reader.read(found), found };
    const key = keyOf(entry.fn);
    const before = this.#entries.get(key);
    if (before && before.fn.uid === entry.fn.uid && isNewer(before.found, found)) return;
    this.#entries.set(key, entry);
    if (before && before.fn.uid !== entry.fn.uid) this.#events.gone(key);
    if (before?.fn.spec.port !== entry.fn.spec.port) this.#events.namespace(entry.fn.namespace);
    this.#events.function(key);
    this.#hostsChanged(before, entry);
  }

  /** The answer to a write of ours. A function that the watch has lost meanwhile does not come back by it. */
  stored(found: WebSocketFunction): void {
    const { namespace = 'default', name, uid } = found.metadata;
    if (this.#entries.get(keyOf({ namespace, name }))?.fn.uid === uid) this.set(found);
  }

  gone(found: WebSocketFunction): void {
    const key = this.#reader.forget(found);
    const before = this.#entries.get(key);
    if (!before) return;
    this.#entries.delete(key);
    this.#events.gone(key);
    this.#events.namespace(before.fn.namespace);
    this.#hostsChanged(before, undefined);
  }

  /** Other functions gain or lose a host with this one. */
  #hostsChanged(before: Entry | undefined, after: Entry | undefined): void {
    const words = (entry: Entry | undefined) => (entry ? JSON.stringify([claimsOf(entry.fn), entry.fn.heldHosts]) : '');
    if (words(before) === words(after)) return;
    const hosts = new Set([before, after].flatMap((entry) => (entry ? claimsOf(entry.fn) : [])));
    if (hosts.size === 0) return; // as most functions: who owns what is not worked out again
    this.#owners = undefined;
    for (const [key, { fn }] of this.#entries) if (claimsOf(fn).some((host) => hosts.has(host))) this.#events.function(key);
  }
}

/** Resource versions of one object grow (Kubernetes API concepts, "Resource versions"). */
function isNewer(a: WebSocketFunction, b: WebSocketFunction): boolean {
  const [older, newer] = [b, a].map(({ metadata }) => metadata.resourceVersion ?? '');
  return /^[0-9]+$/.test(`${older}${newer}`) && BigInt(newer ?? '') > BigInt(older ?? '');
}
