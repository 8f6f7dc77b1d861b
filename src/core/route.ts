// Host and path to function (contract part 6). Conflicts are settled by age, never by the order in which things were seen, so
// every proxy and the controller come to the same answer.
import { keyOf, type ServedFunction } from './served.ts';

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

/** The hosts that a function claims. */
export function claimsOf(fn: ServedFunction): readonly string[] {
  const hosts = fn.spec.route?.hosts ?? []; // absent too in a stored object that breaks the rules
  return fn.deniedHosts?.length ? hosts.filter((host) => !fn.deniedHosts?.includes(host)) : hosts;
}

/** Who has which host: the oldest function that claims it in the namespace that it belongs to, and by that the namespace. */
export type HostOwners = ReadonlyMap<string, ServedFunction>;

/** Which namespace each host belongs to: a holder keeps it, whoever is older; else the oldest function that claims it. */
export function hostOwners(functions: Iterable<ServedFunction>): HostOwners {
  const sorted = [...functions].sort(olderFirst);
  const namespaces = new Map<string, string>();
  for (const held of [true, false]) {
    for (const fn of sorted) {
      for (const host of claimsOf(fn)) {
        if (!namespaces.has(host) && (!held || fn.heldHosts.includes(host))) namespaces.set(host, fn.namespace);
      }
    }
  }
  // Whoever holds it by its status: the name that others are told does not change when the status does.
  const owners = new Map<string, ServedFunction>();
  for (const fn of sorted) {
    for (const host of claimsOf(fn)) if (namespaces.get(host) === fn.namespace && !owners.has(host)) owners.set(host, fn);
  }
  return owners;
}

/** The hosts that a function holds (status.hosts). */
export function hostsHeld(fn: ServedFunction, owners: HostOwners): string[] {
  return claimsOf(fn).filter((host) => owners.get(host)?.namespace === fn.namespace);
}

/** Why a function is not accepted where a host of its route belongs to another namespace (condition HostTaken); empty: none does. */
export function takenHosts(fn: ServedFunction, owners: HostOwners): string {
  return claimsOf(fn)
    .flatMap((host) => {
      const owner = owners.get(host);
      return owner && owner.namespace !== fn.namespace ? [`host ${host} belongs to ${keyOf(owner)}`] : [];
    })
    .join('; ');
}

/**
 * The routing table of a set of functions. A function has no route on a host of another namespace, and it takes no connections on its
 * other hosts either, as it is not accepted.
 */
export function routeTable(functions: Iterable<ServedFunction>): RouteTable {
  const sorted = [...functions].sort(olderFirst);
  const owners = hostOwners(sorted);
  const exact = new Map<string, PathRoute[]>();
  const wildcard = new Map<string, PathRoute[]>();
  const byDefault = new Map<string, ServedFunction>();
  for (const one of sorted) {
    const route = one.spec.route;
    if (!route) {
      byDefault.set(`/${keyOf(one)}`, one);
      continue;
    }
    const taken = one.problem === '' ? takenHosts(one, owners) : '';
    const fn = taken === '' ? one : { ...one, problem: taken };
    for (const host of hostsHeld(one, owners)) {
      const [into, key] = host.startsWith('*.') ? [wildcard, host.slice(1)] : [exact, host];
      const paths = into.get(key) ?? [];
      for (const prefix of route.paths ?? []) paths.push({ prefix, fn });
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
