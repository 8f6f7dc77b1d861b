// Host and path to function: the same answer in every proxy, in whatever order the functions were seen.
import { describe, expect, it } from 'vitest';
import { findRoute, hostOwners, hostsHeld, isUnder, olderFirst, routeTable } from '../../src/core/route.ts';
import type { ServedFunction } from '../../src/core/served.ts';
import { served } from '../support/proxy.ts';

interface Routed {
  readonly at?: number;
  readonly namespace?: string;
  readonly hosts?: string[];
  readonly paths?: string[];
  readonly holds?: string[];
}

function fn(name: string, { at = 1, namespace = 'a', hosts, paths = ['/'], holds = [] }: Routed = {}): ServedFunction {
  return served(name, hosts ? { route: { hosts, paths } } : {}, { namespace, createdAt: at, heldHosts: holds });
}

/** The name found at host and path, in every order of the functions. */
function found(functions: readonly ServedFunction[], host: string, path: string): string | undefined {
  const names = orders(functions).map((order) => {
    const hit = findRoute(routeTable(order), host, path);
    return hit && `${hit.namespace}/${hit.name}`;
  });
  expect(new Set(names).size, 'the order in which functions were seen decides nothing').toBe(1);
  return names[0];
}

function orders<T>(items: readonly T[]): T[][] {
  if (items.length < 2) return [[...items]];
  return items.flatMap((item, i) => orders([...items.slice(0, i), ...items.slice(i + 1)]).map((rest) => [item, ...rest]));
}

describe('the default route', () => {
  const echo = fn('echo');
  it.each([
    ['/a/echo', 'a/echo'],
    ['/a/echo/', 'a/echo'],
    ['/a/echo/x/y', 'a/echo'],
    ['/a/echo2', undefined],
    ['/a/ech', undefined],
    ['/A/echo', undefined],
    ['/a/%65cho', undefined],
    ['/a', undefined],
    ['/', undefined],
    ['/x/a/echo', undefined],
  ])('at %s finds %s on any host', (path, name) => expect(found([echo], 'any.host', path)).toBe(name));

  it('does not hold on a host that a function has claimed', () => {
    const functions = [echo, fn('claims', { hosts: ['x.example'], paths: ['/only'] })];
    expect(found(functions, 'x.example', '/a/echo')).toBeUndefined();
    expect(found(functions, 'y.example', '/a/echo')).toBe('a/echo');
  });

  it('needs a name in the path: a part that is missing is no name', () => {
    expect(found([fn('undefined'), fn('undefined', { namespace: 'undefined' })], 'any.host', '/a')).toBeUndefined();
    expect(found([fn('undefined')], 'any.host', '/a/undefined')).toBe('a/undefined');
  });

  it('is gone for a function that has a route of its own', () => {
    expect(found([fn('echo', { hosts: ['x.example'] })], 'y.example', '/a/echo')).toBeUndefined();
  });
});

describe('a host', () => {
  it('belongs to the oldest function that names it', () => {
    const functions = [
      fn('young', { at: 2, namespace: 'a', hosts: ['x.example'] }),
      fn('old', { at: 1, namespace: 'b', hosts: ['x.example'] }),
    ];
    expect(hostOwners(functions).get('x.example')).toBe(functions[1]);
    expect(found(functions, 'x.example', '/')).toBe('b/old');
  });

  it('is kept by its holder, however young', () => {
    const functions = [
      fn('holder', { at: 9, namespace: 'a', hosts: ['x.example'], holds: ['x.example'] }),
      fn('older', { at: 1, namespace: 'b', hosts: ['x.example'] }),
    ];
    expect(found(functions, 'x.example', '/')).toBe('a/holder');
  });

  it('is not kept by a holder that names it no longer', () => {
    const functions = [
      fn('before', { at: 1, namespace: 'a', hosts: ['y.example'], holds: ['x.example'] }),
      fn('now', { at: 2, namespace: 'b', hosts: ['x.example'] }),
    ];
    expect(found(functions, 'x.example', '/')).toBe('b/now');
  });

  it('of another namespace gives nothing, not even a free path', () => {
    const functions = [
      fn('owner', { at: 1, namespace: 'a', hosts: ['x.example'], paths: ['/mine'] }),
      fn('other', { at: 2, namespace: 'b', hosts: ['x.example', 'z.example'], paths: ['/free'] }),
    ];
    expect(found(functions, 'x.example', '/free')).toBeUndefined();
    // What is not accepted takes no connections on its other hosts either.
    expect(found(functions, 'z.example', '/free')).toBe('b/other');
    const hit = findRoute(routeTable(functions), 'z.example', '/free');
    expect(hit?.problem).toBe('host x.example belongs to a/owner');
    expect(findRoute(routeTable(functions), 'x.example', '/mine')?.problem).toBe('');
  });

  it('that the host rules keep from a namespace is not claimed by it, however old', () => {
    const denied = served(
      'old',
      { route: { hosts: ['x.example', 'y.example'], paths: ['/'] } },
      { createdAt: 0, deniedHosts: ['x.example'] },
    );
    const functions = [denied, fn('young', { at: 9, namespace: 'b', hosts: ['x.example'] })];
    expect(found(functions, 'x.example', '/')).toBe('b/young');
    expect(found(functions, 'y.example', '/')).toBe('test/old');
    expect(hostsHeld(denied, hostOwners(functions))).toEqual(['y.example']);
  });

  it('goes to the smaller key among functions of the same second', () => {
    const functions = [fn('f', { namespace: 'b', hosts: ['x.example'] }), fn('f', { namespace: 'a', hosts: ['x.example'] })];
    expect(found(functions, 'x.example', '/')).toBe('a/f');
    expect([...functions].sort(olderFirst).map(({ namespace }) => namespace)).toEqual(['a', 'b']);
  });

  it.each([
    ['a.x.example', 'a/exact'],
    ['b.x.example', 'a/long'],
    ['c.b.x.example', 'a/long'],
    ['x.example', 'a/short'],
    ['y.example', 'a/short'],
    ['example', undefined],
    ['xexample', undefined],
    ['x.example.com', undefined],
  ])('%s is matched by its closest claim: %s', (host, name) => {
    const functions = [
      fn('exact', { hosts: ['a.x.example'] }),
      fn('long', { hosts: ['*.x.example'] }),
      fn('short', { hosts: ['*.example'] }),
    ];
    expect(found(functions, host, '/')).toBe(name);
  });

  it('that is claimed exactly does not fall back to a wildcard', () => {
    const functions = [fn('exact', { hosts: ['a.example'], paths: ['/p'] }), fn('wild', { hosts: ['*.example'] })];
    expect(found(functions, 'a.example', '/q')).toBeUndefined();
  });
});

describe('a path', () => {
  it('that is longer wins; of equal ones the older function', () => {
    const functions = [
      fn('root', { at: 1, hosts: ['x.example'] }),
      fn('young', { at: 3, hosts: ['x.example'], paths: ['/p', '/p/q'] }),
      fn('old', { at: 2, hosts: ['x.example'], paths: ['/p'] }),
    ];
    expect(found(functions, 'x.example', '/p')).toBe('a/old');
    expect(found(functions, 'x.example', '/p/x')).toBe('a/old');
    expect(found(functions, 'x.example', '/p/q/r')).toBe('a/young');
    expect(found(functions, 'x.example', '/pq')).toBe('a/root');
  });

  it.each([
    ['/', '/', true],
    ['/a', '/', true],
    ['/a', '/a', true],
    ['/a/', '/a', true],
    ['/a/b', '/a', true],
    ['/ab', '/a', false],
    ['/A', '/a', false],
    ['/a', '/a/', true],
    ['/a/b', '/a/', true],
    ['/ab', '/a/', false],
    ['/', '/a', false],
  ])('%s under %s: %s', (path, prefix, under) => expect(isUnder(path, prefix)).toBe(under));
});
