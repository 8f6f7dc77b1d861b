// Whatever a client sends, the function sees the platform's own words under the platform's names, and no token in its query.
import fc from 'fast-check';
import { expect } from 'vitest';
import { presentedToken, withoutToken } from '../../src/core/access.ts';
import { backendHeaders, type RequestContext } from '../../src/core/headers.ts';
import { served } from '../support/proxy.ts';
import { anyCase, fuzz, textOf } from './fuzz.ts';

const FORGED = 'forged';
const context: RequestContext = { fn: served('echo'), requestId: 'id-1', peer: { address: '192.0.2.7', trusted: false, proto: 'http' } };
const RESERVED = /^(?:x-(?:scf|socketpod|forwarded)-|forwarded$|x-real-ip$|x-request-id$)/;

const WORDS = ['x', 'scf', 'request', 'id', 'forwarded', 'for', 'proto', 'real', 'ip', 'socketpod', 'status', 'name', '-', '-', '_', '.'];
const OURS = [
  'x-scf-request-id',
  'x-scf-new',
  'x-socketpod-status',
  'x-forwarded-for',
  'x-forwarded-port',
  'forwarded',
  'x-real-ip',
  'x-request-id',
];
const HOPS = [
  'connection',
  'upgrade',
  'te',
  'trailer',
  'keep-alive',
  'transfer-encoding',
  'proxy-authorization',
  'proxy-connection',
  'expect',
];
const OWN = ['cookie', 'origin', 'sec-websocket-key', 'sec-websocket-protocol', '__proto__', 'constructor', 'x-mine'];
const underscored = fc
  .tuple(fc.constantFrom(...OURS), fc.infiniteStream(fc.boolean()))
  .map(([name, change]) => name.replaceAll('-', () => (change.next().value ? '_' : '-')));
const name = anyCase(
  fc.oneof(
    fc.constantFrom(...OURS, ...HOPS, ...OWN),
    underscored,
    fc.array(fc.constantFrom(...WORDS), { minLength: 1, maxLength: 7 }).map((words) => words.join('')),
  ),
);
const lines = fc
  .array(fc.tuple(name, fc.constantFrom(FORGED, `${FORGED}, Host, X-Request-Id`)), { maxLength: 12 })
  .chain((sent) =>
    fc.array(fc.constantFrom('Host', 'Sec-WebSocket-Key', ...sent.map(([one]) => one)), { maxLength: 5 }).map((named) => ({ sent, named })),
  );

fuzz('no client says anything under a name of the platform', lines, ({ sent, named }) => {
  const raw = ['Host', 'a.example', ...sent.flat(), 'Connection', ['Upgrade', ...named].join(', ')];
  const seen = backendHeaders(raw, context);
  for (const [key, value] of Object.entries(seen)) {
    expect(key).toBe(key.toLowerCase());
    if (RESERVED.test(key.replaceAll('_', '-')) || HOPS.includes(key)) expect(String(value), key).not.toContain(FORGED);
  }
  expect(seen).toMatchObject({
    host: 'a.example',
    connection: 'Upgrade',
    upgrade: 'websocket',
    'x-request-id': 'id-1',
    'x-scf-request-id': 'id-1',
    'x-scf-name': 'echo',
    'x-forwarded-for': '192.0.2.7',
    'x-forwarded-proto': 'http',
    'x-forwarded-host': 'a.example',
  });
  const gone = new Set(['connection', ...named.map((one) => one.toLowerCase())]);
  for (const [one] of sent) {
    const key = one.toLowerCase();
    const kept = !HOPS.includes(key) && !RESERVED.test(key.replaceAll('_', '-')) && (!gone.has(key) || key.startsWith('sec-websocket-'));
    if (kept) expect(Object.keys(seen), 'a name of its own').toContain(key);
  }
});

const QUERY = [
  'access_token',
  'access_token=',
  '%61ccess_token=',
  'access%5ftoken',
  'secret',
  '&',
  '&',
  '=',
  'a',
  'a=1',
  '?',
  '%26',
  '+',
  '%',
];
/** Behind an `&`, as it would take a second `?` for the first. */
const has = (query: string) => new URLSearchParams(`&${query.slice(1)}`).has('access_token');

fuzz(
  'no query has an access token still, and the rest of it is as it was',
  textOf(QUERY).map((text) => (text === '' ? '' : `?${text}`)),
  (query) => {
    const rest = withoutToken(query);
    expect(rest).toMatch(/^(?:$|\?)/);
    expect(has(rest), 'as the function reads it').toBe(false);
    expect(presentedToken([], rest)).toEqual({ problem: 'no token was sent' });
    if (!has(query)) expect(rest).toBe(query);
    const pairs = query.slice(1).split('&');
    expect(pairs.filter((pair) => rest.slice(1).split('&').includes(pair)).join('&')).toBe(rest.slice(1));
  },
  ['?access_token', '?&access_token=', '?', '?%61ccess_token=secret'],
);
