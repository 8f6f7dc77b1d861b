// Who belongs, through the front door: API keys, where a token may stand, origins, the order of the checks, and what the function
// sees of it all.
import { describe, expect, it } from 'vitest';
import type { CompleteSpec } from '../../src/api/types.ts';
import { accessScene } from '../support/access.ts';
import { readClose } from '../support/metered.ts';
import { apiKey, claims, jwtAuth, signingKey, token } from '../support/tokens.ts';

const ec = signingKey('ES256', 'e');
const ci = apiKey('ci');
const cron = apiKey('cron');
const scene = accessScene();
const ORIGINS = ['https://app.example.com', 'https://*.example.org'];

const withKeys = (part: Partial<CompleteSpec> = {}) => scene.serve('keys', { auth: { apiKeys: [ci.entry, cron.entry] }, ...part });
const withBoth = () => scene.serve('both', { auth: { apiKeys: [ci.entry], jwt: jwtAuth([ec], { role: 'admin' }) } });

describe('an API key', () => {
  it.each([ci, cron])('lets in, by its name', async ({ key, entry }) => {
    const { status, record } = await scene.bearer(withKeys(), key);
    expect([status, record.access]).toEqual([101, entry.name]);
  });

  it.each([
    ['another key', 'key-of-nobody'],
    ['the hash of a key', ci.entry.sha256],
    ['the name of a key', 'ci'],
    ['a key and more', `${ci.key}x`],
    ['half a key', ci.key.slice(0, 20)],
    ['a JWT', token(ec)],
  ])('is not %s', async (_what, key) => {
    const { status, record, request } = await scene.bearer(withKeys(), key);
    expect([status, record.reason, record.access, request]).toEqual([401, 'bad_credentials', '', undefined]);
  });
});

describe('of two ways', () => {
  it.each<[string, () => string, number, string]>([
    ['an API key suffices', () => ci.key, 101, 'ci'],
    ['a JWT suffices', () => token(ec, claims({ role: 'admin' })), 101, 'jwt:alice'],
    ['a JWT without its claims does not', () => token(ec), 403, ''],
    ['neither does not', () => cron.key, 401, ''],
  ])('%s', async (_what, secret, status, access) => {
    const seen = await scene.bearer(withBoth(), secret());
    expect([seen.status, seen.record.access]).toEqual([status, access]);
  });
});

describe('a token', () => {
  it.each<[string, (key: string) => [query: string, lines: string[]]]>([
    ['nowhere', () => ['', []]],
    ['in a cookie', (key) => ['', [`Cookie: access_token=${key}; token=${key}`]]],
    ['by another scheme', (key) => ['', [`Authorization: Basic ${Buffer.from(`ci:${key}`).toString('base64')}`]]],
    ['without a scheme', (key) => ['', [`Authorization: ${key}`]]],
    ['for proxies', (key) => ['', [`Proxy-Authorization: Bearer ${key}`]]],
    ['in another parameter', (key) => [`?token=${key}`, []]],
    ['in header and query', (key) => [`?access_token=${key}`, [`Authorization: Bearer ${key}`]]],
    ['twice in the query', (key) => [`?access_token=${key}&access_token=${key}`, []]],
    ['twice in the query, spelled in two ways', (key) => [`?access_token=${key}&access%5Ftoken=x`, []]],
    ['in two headers', (key) => ['', [`Authorization: Bearer ${key}`, 'Authorization: Bearer x']]],
    ['that is empty', () => ['?access_token=', []]],
    ['over 8 KiB', (key) => [`?access_token=${key.padEnd(8193, 'x')}`, []]],
  ])('%s lets nobody in', async (_where, place) => {
    const [query, lines] = place(ci.key);
    const { status, head, record, request } = await scene.see(withKeys() + query, lines);
    expect([status, record.reason, request]).toEqual([401, 'bad_credentials', undefined]);
    expect(head).toContain('WWW-Authenticate: Bearer\r\n');
  });

  it.each<[string, string, string[], string]>([
    ['from the query', `?a=1&access_token=${ci.key}&b=%2F`, [], '?a=1&b=%2F'],
    ['from the query, spelled in another way', `?%61ccess%5ftoken=${ci.key}`, [], ''],
    ['from the header', '?a=1', [`aUTHORIZATION: bEARER ${ci.key}`], '?a=1'],
    ['from a header that Connection names', '', [`Authorization: Bearer ${ci.key}`, 'Connection: authorization, upgrade'], ''],
  ])('%s is taken out of what the function sees', async (_where, query, lines, kept) => {
    const path = withKeys();
    const { status, request } = await scene.see(path + query, lines);
    expect([status, request?.split('\n')[0]]).toEqual([101, path + kept]);
    expect(request).not.toMatch(new RegExp(`${ci.key}|authorization`, 'i'));
  });

  it('of another scheme is the function’s own business', async () => {
    const { request } = await scene.see(`${withKeys()}?access_token=${ci.key}`, ['Authorization: Basic dTpw']);
    expect(request).toContain('\nBasic dTpw\n');
  });

  it('is the function’s own business where it has no auth, but for one in the query', async () => {
    const { status, request, record } = await scene.see(`${scene.serve('open', {})}?access%5Ftoken=t&a`, ['Authorization: Bearer mine']);
    expect([status, record.access, request?.split('\n')[0]]).toEqual([101, '', '/test/open?a']);
    expect(request).toContain('\nBearer mine\n');
  });
});

describe('an origin', () => {
  it.each<[number, string[]]>([
    [101, []],
    [101, ['Origin: https://app.example.com']],
    [101, ['Origin: https://a.b.example.org']],
    [403, ['Origin: https://example.org']],
    [403, ['Origin: http://a.example.org']],
    [403, ['Origin: https://app.example.com:8443']],
    [403, ['Origin: null']],
    [403, ['Origin:']],
    [403, ['Origin: https://app.example.com', 'Origin: https://evil.example']],
  ])('gets %d for %j', async (status, lines) => {
    const seen = await scene.see(scene.serve('origins', { allowedOrigins: ORIGINS }), lines);
    expect(seen.status).toBe(status);
    if (status === 101) return;
    expect([seen.record.reason, seen.request]).toEqual(['origin_denied', undefined]);
    expect(seen.head).toContain('X-Socketpod-Status: 441\r\n');
    expect(seen.record.detail).toMatch(/^the origin .* is not allowed$/);
  });

  it('is judged before the token, and does not stand in for one', async () => {
    const target = withKeys({ allowedOrigins: ORIGINS });
    const key = `Authorization: Bearer ${ci.key}`;
    expect((await scene.see(target, ['Origin: https://evil.example', key])).status).toBe(403);
    expect((await scene.see(target, ['Origin: https://app.example.com'])).status).toBe(401);
    expect((await scene.see(target, ['Origin: https://app.example.com', key])).status).toBe(101);
  });

  it('that is foreign is told by a close frame where the function wants that', async () => {
    const target = withKeys({ allowedOrigins: ORIGINS, refuseWith: 'CloseFrame' });
    for (const [origin, text] of [
      ['https://evil.example', '441 origin denied'],
      ['https://app.example.com', '401 bad credentials'],
    ]) {
      const client = await scene.ask(target, [`Origin: ${origin}`]);
      expect(await client.head()).toMatch(/^HTTP\/1\.1 101 /);
      expect(await readClose(client)).toContain(`1008 ${text}; id `);
      client.socket.destroy();
    }
  });
});

describe('the order of the checks', () => {
  it.each<[string, Partial<CompleteSpec>, number]>([
    ['access stands before the ceiling', { maxConnections: 0 }, 401],
    ['and behind it stands the ceiling', { maxConnections: 0, auth: { apiKeys: [{ name: 'x', sha256: apiKeyHash() }] } }, 429],
  ])('%s', async (_what, part, status) => {
    expect((await scene.bearer(withKeys(part), 'sesame')).status).toBe(status);
  });

  it('access stands before draining, too', async () => {
    const target = withKeys();
    const { gate } = scene.proxy.services;
    gate.open = false;
    const statuses = [await scene.bearer(target, 'sesame'), await scene.bearer(target, ci.key)].map(({ status }) => status);
    gate.open = true;
    expect(statuses).toEqual([401, 503]);
  });

  it('a malformed upgrade is told before any token is looked at', async () => {
    const client = await scene.ask(withKeys(), ['Content-Length: 0']);
    expect(await client.head()).toMatch(/^HTTP\/1\.1 400 /);
    client.socket.destroy();
  });
});

/** The SHA-256 of `sesame`, as `printf %s sesame | sha256sum` prints it. */
function apiKeyHash(): string {
  return 'd0c04f4b1951e4aeaaec8223ed2039e542f3aae805a6fa7f6d794e5afff5d272';
}
