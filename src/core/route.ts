// Host and path to function (contract part 6). Conflicts are settled by age, never by the order in which things were seen, so
// every proxy and the controller come to the same answer.
import { keyOf, type ServedFunction } from './served.ts';

/** Who may have a host: `owner` is a namespace. */
export interface HostClaim {
  readonly host: string;
  readonly owner: string;
}

interface PathRoute {
  readonly prefix: string;
  readonly fn: ServedFunction;
}

/** All routes, ready to look up: by host the paths, longest first; `*.x` under its suffix `.x`. */
export interface RouteTable {
  readonly exact: ReadonlyMap<string, readonly PathRoute[]>;
  readonly wildcard: ReadonlyMap<string, readonly PathRoute[]>;
  /** Functions without a route, by `/<namespace>/<name>`. */
  readonly byDefault: ReadonlyMap<string, ServedFunction>;
}

/** Older first; of the same second, the one whose key comes first. */
export function olderFirst(a: ServedFunction, b: ServedFunction): number {
  return a.createdAt - b.createdAt || (keyOf(a) < keyOf(b) ? -1 : 1);
}

/** Which namespace a host belongs to: a holder keeps it, whoever is older; else the oldest function that names it. */
export function hostOwners(functions: Iterable<ServedFunction>): Map<string, string> {
  const owners = new Map<string, string>();
  const sorted = [...functions].sort(olderFirst);
  for (const held of [true, false]) {
    for (const fn of sorted) {
      for (const host of fn.spec.route?.hosts ?? []) {
        if (!owners.has(host) && (!held || fn.heldHosts.includes(host))) owners.set(host, fn.namespace);
      }
    }
  }
  return owners;
}

/** The routing table of a set of functions. A function whose host belongs to another namespace has no route there. */
export function routeTable(functions: Iterable<ServedFunction>): RouteTable {
  const sorted = [...functions].sort(olderFirst);
  const owners = hostOwners(sorted);
  const exact = new Map<string, PathRoute[]>();
  const wildcard = new Map<string, PathRoute[]>();
  const byDefault = new Map<string, ServedFunction>();
  for (const fn of sorted) {
    const route = fn.spec.route;
    if (!route) {
      byDefault.set(`/${keyOf(fn)}`, fn);
      continue;
    }
    for (const host of route.hosts) {
      if (owners.get(host) !== fn.namespace) continue;
      const [into, key] = host.startsWith('*.') ? [wildcard, host.slice(1)] : [exact, host];
      const paths = into.get(key) ?? [];
      for (const prefix of route.paths) paths.push({ prefix, fn });
      into.set(key, paths);
    }
  }
  // A stable sort: of equal paths the older function stays in front.
  for (const paths of [...exact.values(), ...wildcard.values()]) paths.sort((a, b) => b.prefix.length - a.prefix.length);
  return { exact, wildcard, byDefault };
}

/**
 * The function at a host and path, or undefined.
 * @param host lower case, without port and final dot
 * @param path raw; compared by whole segments without decoding
 */
export function findRoute(table: RouteTable, host: string, path: string): ServedFunction | undefined {
  const paths = pathsOf(table, host);
  if (paths) return paths.find(({ prefix }) => isUnder(path, prefix))?.fn;
  const [, namespace, name] = path.split('/', 3);
  return name === undefined ? undefined : table.byDefault.get(`/${namespace}/${name}`);
}

/** An exact host goes before a wildcard, a longer suffix before a shorter one; `*.x` stands for one label or more. */
function pathsOf(table: RouteTable, host: string): readonly PathRoute[] | undefined {
  const exact = table.exact.get(host);
  if (exact) return exact;
  for (let dot = host.indexOf('.'); dot >= 0; dot = host.indexOf('.', dot + 1)) {
    const found = table.wildcard.get(host.slice(dot));
    if (found) return found;
  }
  return undefined;
}

/** Is `path` the prefix itself or below it, by whole segments? */
export function isUnder(path: string, prefix: string): boolean {
  const base = prefix.endsWith('/') ? prefix.slice(0, -1) : prefix;
  return path.startsWith(base) && (path.length === base.length || path[base.length] === '/');
}
