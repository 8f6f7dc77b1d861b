// The addresses under which clients reach a function (status.url, and what `dev` prints).
import { keyOf, type ServedFunction } from './served.ts';

/**
 * All addresses of a function: one for each host and path of its route, or the default one.
 * @param base scheme, host and port, as in `wss://functions.example.com`; of a route only scheme and port are taken from it
 */
export function urlsOf(fn: ServedFunction, base: string): string[] {
  const { route } = fn.spec;
  if (!route) return [`${base}/${keyOf(fn)}`];
  const [scheme = 'ws:', authority = ''] = base.split('//');
  const port = /:[0-9]+$/.exec(authority)?.[0] ?? '';
  return route.hosts.flatMap((host) => route.paths.map((path) => `${scheme}//${host}${port}${path === '/' ? '' : path}`));
}
