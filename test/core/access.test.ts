// Who may connect: the token of a request and what is left of the request without it, origins, API keys, claims.
import { describe, expect, it } from 'vitest';
import { apiKeyOf, foreignOrigin, missingClaim, presentedToken, subjectOf, withoutBearer, withoutToken } from '../../src/core/access.ts';

const NONE = { problem: 'no token was sent' };
const SEVERAL = { problem: 'more than one token was sent' };
const EMPTY = { problem: 'the token is empty' };
const LONG = { problem: 'the token is over 8 KiB' };

describe('the token of a request', () => {
  it.each<[headers: string[], query: string, seen: object]>([
    [[], '', NONE],
    [[], '?', NONE],
    [[], '?token=t&Access_Token=t&access_tokens=t', NONE],
    [['Authorization', 'Basic dDp0'], '', NONE],
    [['Authorization', 'Bearers t'], '', NONE],
    [['Authorization', 't'], '', NONE],
    [['Proxy-Authorization', 'Bearer t'], '', NONE],
    [['Cookie', 'access_token=t'], '', NONE],
    [['Sec-WebSocket-Protocol', 'access_token, t'], '', NONE],
    [['Authorization', 'Bearer t'], '', { token: 't' }],
    [['AUTHORIZATION', 'bEARER   t'], '', { token: 't' }],
    [['Authorization', 'Bearer a, Bearer b'], '', { token: 'a, Bearer b' }],
    [['Authorization', 'Bearer k\xc3\xa9y'], '', { token: 'k\xc3\xa9y' }],
    [[], '?access_token=t', { token: 't' }],
    [[], '?a=1&access_token=t&b=2', { token: 't' }],
    [[], '?access_token=a+b=%2B%3D', { token: 'a+b=+=' }],
    [[], '?access_token=k%C3%a9y', { token: 'k\xc3\xa9y' }],
    [[], '?access_token=100%&x', { token: '100%' }],
    [[], '?access%5Ftoken=t', { token: 't' }],
    [[], '?%61ccess%5ftoken=t', { token: 't' }],
    [[], '?access%255Ftoken=t', NONE],
    [['Authorization', 'Basic dDp0'], '?access_token=t', { token: 't' }],
    [[], '?access_token=t&access_token=u', SEVERAL],
    [[], '?access_token=t&access_token=t', SEVERAL],
    [[], '?access_token=t&access%5Ftoken=u', SEVERAL],
    [['Authorization', 'Bearer t', 'Authorization', 'Bearer u'], '', SEVERAL],
    [['Authorization', 'Bearer t', 'authorization', 'Basic dDp0'], '', SEVERAL],
    [['Authorization', 'Bearer t'], '?access_token=t', SEVERAL],
    [['Authorization', 'Bearer'], '', EMPTY],
    [[], '?access_token', EMPTY],
    [[], '?access_token=', EMPTY],
    [['Authorization', 'Bearer'], '?access_token=t', SEVERAL],
    [['Authorization', `Bearer ${'t'.repeat(8192)}`], '', { token: 't'.repeat(8192) }],
    [['Authorization', `Bearer ${'t'.repeat(8193)}`], '', LONG],
    [[], `?access_token=${'t'.repeat(8193)}`, LONG],
  ])('%j with %j', (headers, query, seen) => expect(presentedToken(headers, query)).toEqual(seen));
});

describe('the query for the function', () => {
  it.each([
    ['', ''],
    ['?', '?'],
    ['?a=1', '?a=1'],
    ['?access_token=t', ''],
    ['?access_token', ''],
    ['?a=1&access_token=t', '?a=1'],
    ['?access_token=t&a=1', '?a=1'],
    ['?a=1&access_token=t&b=%26&access_token=u', '?a=1&b=%26'],
    ['?access_tokens=t', '?access_tokens=t'],
    ['?a=access_token=t', '?a=access_token=t'],
    ['?a&&b', '?a&&b'],
    ['?access%5Ftoken=t', ''],
    ['?a&%61%63cess%5ftoken=t&b', '?a&b'],
    ['?access%5Ftoken', ''],
    ['?access%255Ftoken=t', '?access%255Ftoken=t'],
    ['?a=%zz&%=1&access_token=t', '?a=%zz&%=1'],
  ])('%j is %j without its access token', (query, kept) => expect(withoutToken(query)).toBe(kept));
});

describe('the header lines for the function', () => {
  it.each([
    [
      ['Host', 'a', 'Authorization', 'Bearer t', 'X', 'y'],
      ['Host', 'a', 'X', 'y'],
    ],
    [['authorization', 'bearer t'], []],
    [['Authorization', 'Bearer'], []],
    [
      ['Authorization', 'Basic dDp0'],
      ['Authorization', 'Basic dDp0'],
    ],
    [
      ['X', 'authorization', 'Y', 'Bearer t'],
      ['X', 'authorization', 'Y', 'Bearer t'],
    ],
  ])('%j are %j without their bearer token', (headers, kept) => expect(withoutBearer(headers)).toEqual(kept));
});

describe('an origin', () => {
  const allowed = [
    'https://app.example.com',
    'http://localhost:3000',
    'https://*.example.org',
    'https://*.example.net:8443',
    'http://[::1]',
  ];

  it.each([
    'https://app.example.com',
    'HTTPS://App.Example.COM',
    'http://localhost:3000',
    'https://a.example.org',
    'https://A.Example.org',
    'https://a.b.c.example.org',
    'https://a-1.example.org',
    'https://a.example.net:8443',
    'http://[::1]',
  ])('%s may connect', (origin) => expect(foreignOrigin([origin], allowed)).toBeUndefined());

  it.each([
    '',
    'null',
    'https://app.example.com:443',
    'https://app.example.com:8443',
    'http://app.example.com',
    'https://app.example.com.',
    'https://app.example.com/',
    'https://app.example.com.evil.example',
    'https://evil-app.example.com',
    'http://localhost',
    'http://localhost:30000',
    'https://example.org',
    'https://.example.org',
    'http://a.example.org',
    'https://a.example.org:8443',
    'https://evilexample.org',
    'https://a..example.org',
    'https://evil.example/.example.org',
    'https://evil.example?.example.org',
    'https://user@a.example.org',
    'https://a.example.org.evil.example',
    'https://*.example.org',
    'https://a.example.net',
    'https://a.example.net:443',
  ])('%j may not', (origin) => expect(foreignOrigin([origin], allowed)).toBe(origin));

  it('of no browser is none, and passes', () => expect(foreignOrigin([], allowed)).toBeUndefined());

  it('is one', () => {
    const one = 'https://app.example.com';
    expect(foreignOrigin([one, one], allowed)).toBe(`${one}, ${one}`);
  });

  it('is recorded in 256 bytes of ASCII', () => {
    expect(foreignOrigin(['https://\xe9\x9b\x1b[2J'], allowed)).toBe('https://???[2J');
    expect(foreignOrigin(['x'.repeat(1000)], allowed)).toBe('x'.repeat(256));
  });
});

describe('an API key', () => {
  const hash = (letter: string) => letter.repeat(64);
  const keys = [
    { name: 'ci', sha256: hash('a') },
    { name: 'cron', sha256: hash('b') },
  ];

  it.each([
    [hash('a'), 'ci'],
    [hash('b'), 'cron'],
    [hash('c'), undefined],
    [`${'b'.repeat(63)}a`, undefined],
    [`a${'b'.repeat(63)}`, undefined],
    ['a'.repeat(63), undefined],
    ['a'.repeat(65), undefined],
    ['', undefined],
  ])('with the hash %s is %s', (sha256, name) => expect(apiKeyOf(sha256, keys)).toBe(name));

  it('is none where there are none', () => expect(apiKeyOf('', [])).toBeUndefined());
});

describe('a required claim', () => {
  it.each<[claims: Record<string, unknown>, required: Record<string, string> | undefined, missing: string | undefined]>([
    [{}, undefined, undefined],
    [{ role: 'admin' }, { role: 'admin' }, undefined],
    [{ role: ['user', 'admin'] }, { role: 'admin' }, undefined],
    [{ verified: true, level: 3 }, { verified: 'true', level: '3' }, undefined],
    [{}, { role: 'admin' }, 'role'],
    [{ role: 'user' }, { role: 'admin' }, 'role'],
    [{ role: 'administrator' }, { role: 'admin' }, 'role'],
    [{ role: 'Admin' }, { role: 'admin' }, 'role'],
    [{ role: ['user'] }, { role: 'admin' }, 'role'],
    [{ role: [] }, { role: '' }, 'role'],
    [{ role: null }, { role: 'null' }, 'role'],
    [{ role: { admin: true } }, { role: '[object Object]' }, 'role'],
    [{ role: [['admin']] }, { role: 'admin' }, 'role'],
    [{ a: '1', b: '1' }, { a: '1', b: '2' }, 'b'],
    [{}, { constructor: 'Object' }, 'constructor'],
    [JSON.parse('{"__proto__": {"role": "admin"}}'), { role: 'admin' }, 'role'],
  ])('%j with %j lacks %s', (claims, required, missing) => expect(missingClaim(claims, required)).toBe(missing));
});

describe('the subject in the record', () => {
  it.each([
    [{ sub: 'alice' }, 'jwt:alice'],
    [{}, 'jwt:'],
    [{ sub: 7 }, 'jwt:'],
    [{ sub: 'x'.repeat(500) }, `jwt:${'x'.repeat(252)}`],
    [{ sub: `${'x'.repeat(251)}\u{1F511}` }, `jwt:${'x'.repeat(251)}`],
  ])('of %j is %s', (claims, seen) => expect(subjectOf(claims)).toBe(seen));
});
