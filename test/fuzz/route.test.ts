// Routes against a slow reading of contract part 6: who owns a host, and the longest path in it.
import fc from 'fast-check';
import { expect } from 'vitest';
import { findRoute, hostOwners, hostsHeld, isUnder, olderFirst, routeTable, takenHosts } from '../../src/core/route.ts';
import { keyOf, type ServedFunction } from '../../src/core/served.ts';
import { served } from '../support/proxy.ts';
import { fuzz, textOf } from './fuzz.ts';

const HOSTS = ['x.example', 'a.x.example', 'b.a.x.example', 'y.example', 'example', 'xx.example'];
const CLAIMS = [...HOSTS, '*.example', '*.x.example', '*.a.x.example', '*.y.example'];
const SEGMENTS = ['/', 'a', 'b', 'ab', 'echo', 'A', '.', '%2f', '?'];

const path = textOf(SEGMENTS).map((text) => `/${text}`);
const prefix = fc.constantFrom('/', '/a', '/a/', '/a/b', '/ab', '/echo', '/a/echo', '/A', '/a/b/a');
const route = fc.record({
  hosts: fc.uniqueArray(fc.constantFrom(...CLAIMS), { minLength: 1, maxLength: 3 }),
  paths: fc.uniqueArray(prefix, { minLength: 1, maxLength: 3 }),
});
const functions = fc
  .uniqueArray(
    fc.record({
      namespace: fc.constantFrom('a', 'b', 'c'),
      name: fc.constantFrom('a', 'b', 'echo'),
      createdAt: fc.nat({ max: 3 }),
      route: fc.option(route, { nil: undefined }),
      heldHosts: fc.uniqueArray(fc.constantFrom(...CLAIMS), { maxLength: 2 }),
    }),
    { selector: ({ namespace, name }) => `${namespace}/${name}`, maxLength: 7 },
  )
  .map((all) => all.map(({ name, route, ...more }) => served(name, route ? { route } : {}, more)));

const hostsOf = (fn: ServedFunction) => fn.spec.route?.hosts ?? [];
const pathsOf = (fn: ServedFunction) => fn.spec.route?.paths ?? [];

/** Whose a claim is. */
function owner(all: readonly ServedFunction[], claim: string): string | undefined {
  const naming = all.filter((fn) => hostsOf(fn).includes(claim)).sort(olderFirst);
  return (naming.find((fn) => fn.heldHosts.includes(claim)) ?? naming[0])?.namespace;
}

/** The claim that holds for a host: the host itself, else the wildcard with the longest suffix. */
function claimOf(all: readonly ServedFunction[], host: string): string | undefined {
  const claims = new Set(all.flatMap(hostsOf));
  if (claims.has(host)) return host;
  const wild = [...claims].filter((claim) => claim.startsWith('*.') && host.endsWith(claim.slice(1)) && host.length > claim.length - 1);
  return wild.sort((a, b) => b.length - a.length)[0];
}

/** Is the path the prefix, or do its first segments say the same? */
function under(asked: string, one: string): boolean {
  const segments = one.split('/').filter((segment, i, all) => i < all.length - 1 || segment !== '');
  return asked.split('/').slice(0, segments.length).join('/') === segments.join('/');
}

function expected(all: readonly ServedFunction[], host: string, asked: string): ServedFunction | undefined {
  const claim = claimOf(all, host);
  if (claim === undefined) {
    return all.find((fn) => !fn.spec.route && under(asked, `/${fn.namespace}/${fn.name}`));
  }
  const mine = all.filter((fn) => fn.namespace === owner(all, claim) && hostsOf(fn).includes(claim));
  const fitting = mine.flatMap((fn) => pathsOf(fn).flatMap((one) => (under(asked, one) ? [{ fn, one }] : [])));
  return fitting.sort((a, b) => b.one.length - a.one.length || olderFirst(a.fn, b.fn))[0]?.fn;
}

fuzz(
  'a request comes to the function that the contract names, and never to one of a namespace that does not own the host',
  fc.tuple(functions, fc.constantFrom(...HOSTS, 'other', '*.example', 'a'), path),
  ([all, host, asked]) => {
    const found = findRoute(routeTable(all), host, asked);
    const right = expected(all, host, asked);
    expect(found && keyOf(found)).toBe(right && keyOf(right));
    expect(findRoute(routeTable([...all].reverse()), host, asked)).toEqual(found);
    const claim = claimOf(all, host);
    if (found && claim !== undefined) expect(found.namespace).toBe(hostOwners(all).get(claim)?.namespace);
    if (found && claim === undefined) expect(found.spec.route).toBeUndefined();
  },
);

fuzz('the status and the traffic agree: who holds a host is served on it, and a written status changes no owner', functions, (all) => {
  const owners = hostOwners(all);
  const written = all.map((fn) => ({ ...fn, heldHosts: hostsHeld(fn, owners) }));
  const after = hostOwners(written);
  for (const [host, owner] of owners) expect(keyOf(after.get(host) as ServedFunction)).toBe(keyOf(owner));
  const table = routeTable(all);
  for (const fn of all) {
    const taken = takenHosts(fn, owners);
    expect(takenHosts(fn, after)).toBe(taken);
    expect(taken === '').toBe(hostsHeld(fn, owners).length === hostsOf(fn).length);
    const routes = [...table.exact, ...table.wildcard].flatMap(([host, paths]) => paths.map((path) => ({ host, ...path })));
    const own = routes.filter((route) => route.fn.uid === fn.uid);
    const held = new Set(own.map(({ host }) => (host.startsWith('.') ? `*${host}` : host)));
    expect([...held].sort()).toEqual([...hostsHeld(fn, owners)].sort());
    for (const route of own) expect(route.fn.problem).toBe(taken);
  }
});

fuzz('a path is under a prefix by whole segments', fc.tuple(path, prefix), ([asked, one]) => {
  expect(isUnder(asked, one)).toBe(under(asked, one));
});
