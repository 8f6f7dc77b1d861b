// Tokens of an identity provider (RFC 7519): which are believed, and that nothing else is. Keys are made at run time.
import { describe, expect, it } from 'vitest';
import { accessScene } from '../support/access.ts';
import { type Algorithm, apiKey, type Claims, claims, hmac, inSeconds, jwtAuth, part, signingKey, token } from '../support/tokens.ts';

const rsa = signingKey('RS256', 'r');
const pss = signingKey('PS256', 'p');
const ec = signingKey('ES256', 'e');
const ed = signingKey('EdDSA', 'd');
const stranger = signingKey('RS256', 'r');
const unnamed = (['RS256', 'RS256', 'ES256'] as const).map((alg) => signingKey(alg));
const [first, second, third] = unnamed as [(typeof unnamed)[0], (typeof unnamed)[0], (typeof unnamed)[0]];
const all = { rsa, pss, ec, ed };

const scene = accessScene();
/** A function that believes four named keys, and one that believes three without names. */
const named = () => scene.serve('named', { auth: { jwt: jwtAuth(Object.values(all)) } });
const nameless = () => scene.serve('nameless', { auth: { jwt: jwtAuth(unnamed) } });

async function expectRefused(target: string, jwt: string, reason = 'bad_credentials'): Promise<string> {
  const { status, head, record, request } = await scene.bearer(target, jwt);
  expect([status, record.reason, record.httpStatus, record.access]).toEqual([reason === 'bad_credentials' ? 401 : 403, reason, status, '']);
  expect(/WWW-Authenticate: Bearer/.test(head)).toBe(status === 401);
  expect(head).toContain(`X-Socketpod-Status: ${status === 401 ? 401 : 441}\r\n`);
  expect(request).toBeUndefined();
  return record.detail;
}

async function expectGranted(target: string, jwt: string, access = 'jwt:alice'): Promise<void> {
  const { status, record, request } = await scene.bearer(target, jwt);
  expect([status, record.access]).toEqual([101, access]);
  expect(request).not.toMatch(/authorization/i);
}

describe('a token that is in order', () => {
  it.each(Object.keys(all) as (keyof typeof all)[])('lets in, signed by the key %s', (name) => expectGranted(named(), token(all[name])));

  it.each<[string, Claims]>([
    ['one of the audiences', { aud: 'other' }],
    ['a list of audiences', { aud: ['elsewhere', 'terminal'] }],
    ['an expiry within the leeway', { exp: inSeconds(-20) }],
    ['a beginning within the leeway', { nbf: inSeconds(20) }],
    ['claims of any other kind', { roles: [1, { a: null }], iat: inSeconds(-3600) }],
  ])('may have %s', (_what, more) => expectGranted(named(), token(rsa, claims(more))));

  it('need not name its key where one fits', () => expectGranted(named(), token(rsa, claims(), { header: { kid: undefined } })));

  it.each([first, second, third])('need not name its key where several fit', (key) => expectGranted(nameless(), token(key)));

  it('names its subject for the record, in 256 bytes', () =>
    expectGranted(named(), token(ed, claims({ sub: 'x'.repeat(300) })), `jwt:${'x'.repeat(252)}`));

  it('lets in from the query', async () => {
    const { status, request } = await scene.see(`${named()}?a=1&access_token=${token(ec)}`);
    expect([status, request?.split('\n')[0]]).toEqual([101, '/test/named?a=1']);
  });
});

describe('a token is not believed', () => {
  const pem = rsa.publicKey.export({ type: 'spki', format: 'pem' });
  const der = rsa.publicKey.export({ type: 'spki', format: 'der' });
  const swapped = (jwt: string, more: Claims) => jwt.replace(/\.[^.]+\./, `.${part(claims(more))}.`);
  const hs = { alg: 'HS256' };

  it.each<[string, () => string]>([
    ['with alg none', () => token(rsa, claims(), { header: { alg: 'none' }, signature: () => Buffer.alloc(0) })],
    ['with alg None, signed all the same', () => token(rsa, claims(), { header: { alg: 'None' } })],
    ['without alg', () => token(rsa, claims(), { header: { alg: undefined } })],
    ['with HS256 and the public key in PEM as its secret', () => token(rsa, claims(), { header: hs, signature: hmac(pem) })],
    ['with HS256 and the public key in DER as its secret', () => token(rsa, claims(), { header: hs, signature: hmac(der) })],
    ['with HS256 and the JWK as its secret', () => token(rsa, claims(), { header: hs, signature: hmac(JSON.stringify(rsa.jwk)) })],
    ['with HS256 and an empty secret', () => token(rsa, claims(), { header: hs, signature: hmac('') })],
    ['of another issuer', () => token(rsa, claims({ iss: 'https://id.example.com' }))],
    ['without an issuer', () => token(rsa, claims({ iss: undefined }))],
    ['with a list of issuers', () => token(rsa, claims({ iss: [claims().iss] }))],
    ['for another audience', () => token(rsa, claims({ aud: 'Terminal' }))],
    ['for other audiences', () => token(rsa, claims({ aud: ['a', 'b'] }))],
    ['for no audience', () => token(rsa, claims({ aud: [] }))],
    ['without an audience', () => token(rsa, claims({ aud: undefined }))],
    ['that has expired', () => token(rsa, claims({ exp: inSeconds(-40) }))],
    ['that is not valid yet', () => token(rsa, claims({ nbf: inSeconds(40) }))],
    ['without an expiry', () => token(rsa, claims({ exp: undefined }))],
    ['with an expiry in words', () => token(rsa, claims({ exp: String(inSeconds(300)) }))],
    ['of an unknown key', () => token(rsa, claims(), { header: { kid: 'x' } })],
    ['with a kid that is no text', () => token(rsa, claims(), { header: { kid: ['r'] } })],
    ['that names a key of another kind', () => token(rsa, claims(), { header: { kid: 'e' } })],
    ['with an algorithm that its key is not for', () => token(rsa, claims(), { header: { alg: 'PS256' } })],
    ['of a stranger who uses a known name', () => token(stranger)],
    ['of a stranger who brings the key along', () => token(stranger, claims(), { header: { jwk: stranger.jwk } })],
    [
      'of a stranger who tells where the key is',
      () => token(stranger, claims(), { header: { jku: 'http://127.0.0.1:1/', x5u: 'http://127.0.0.1:1/' } }),
    ],
    ['whose claims were changed', () => swapped(token(rsa), { sub: 'bob' })],
    ['without its signature', () => token(rsa, claims(), { signature: () => Buffer.alloc(0) })],
    ['with half of its signature', () => token(rsa, claims(), { signature: (data) => rsa.sign(data).subarray(0, 128) })],
    ['with a signature of zeros', () => token(ec, claims(), { signature: () => Buffer.alloc(64) })],
    ['with a critical header that nobody knows', () => token(rsa, claims(), { header: { crit: ['exp-of-ours'], 'exp-of-ours': 1 } })],
    ['with a payload that is not encoded', () => token(rsa, claims(), { header: { crit: ['b64'], b64: false } })],
    ['whose claims are a list', () => token(rsa, [claims()])],
    ['whose claims are nothing', () => token(rsa, null)],
    ['with four parts', () => `${token(rsa)}.x`],
    ['that is encrypted', () => `${part({ alg: 'dir', enc: 'A256GCM' })}..a.b.c`],
    ['that is a word', () => 'garbage'],
    ['that is dots', () => '..'],
    ['that is three words', () => 'a.b.c'],
    ['that is JSON', () => JSON.stringify({ payload: part(claims()), protected: part({ alg: 'RS256' }), signature: '' })],
    ['that is not ASCII', () => `\xff\xfe.${token(rsa)}`],
    ['over 8 KiB', () => token(rsa, claims({ pad: 'x'.repeat(7000) }))],
  ])('%s', async (_what, jwt) => {
    await expectRefused(named(), jwt());
  });

  it('that does not name its key and is of a stranger', async () => {
    await expectRefused(nameless(), token(signingKey('RS256')));
  });

  it('that does not name its key, is of the last and has expired', async () =>
    expect(await expectRefused(nameless(), token(second, claims({ exp: inSeconds(-40) })))).toContain(
      '"exp" claim timestamp check failed',
    ));

  it.each<[string, Record<string, unknown>, Algorithm]>([
    ['too short', signingKey('RS256', 'k').jwk, 'RS256'],
    ['not whole', { kty: 'RSA', kid: 'k' }, 'RS256'],
    ['of an unknown curve', { kty: 'EC', crv: 'P-1', x: 'AA', y: 'AA', kid: 'k' }, 'ES256'],
  ])('by a function whose key is %s', async (what, jwk, alg) => {
    const bad = what === 'too short' ? { ...jwk, n: String(jwk.n).slice(0, 170) } : jwk;
    const auth = { ...jwtAuth([]), jwks: { keys: [bad] } };
    await expectRefused(scene.serve('odd-key', { auth: { jwt: auth } }), token(signingKey(alg, 'k')));
  });

  it.each(['header', 'query'])('of 1 MB in a %s', async (place) => {
    const long = token(rsa, claims({ pad: 'x'.repeat(750_000) }));
    const seen = place === 'header' ? await scene.bearer(named(), long) : await scene.see(`${named()}?access_token=${long}`);
    expect([seen.status, seen.record.reason]).toEqual([431, 'bad_handshake']);
  });

  it('and its own words are not in the record', async () => {
    const crit = 'words-of-the-token';
    const detail = await expectRefused(named(), token(rsa, claims(), { header: { crit: [crit], [crit]: 1 } }));
    expect(detail).toBe('the token was not accepted: ERR_JOSE_NOT_SUPPORTED');
  });
});

describe('required claims', () => {
  const required = () => scene.serve('claims', { auth: { jwt: jwtAuth([ed], { role: 'admin', email_verified: 'true' }) } });

  it.each([{ role: 'admin' }, { role: ['user', 'admin'] }])('let in with %j', (more) =>
    expectGranted(required(), token(ed, claims({ email_verified: true, ...more }))),
  );

  it.each([{}, { role: 'user' }, { role: ['user'] }, { role: 'admin', email_verified: false }])('refuse %j', async (more) => {
    const detail = await expectRefused(required(), token(ed, claims({ email_verified: true, ...more })), 'claims_denied');
    expect(detail).toMatch(/required claim (role|email_verified)$/);
  });

  it('are not asked of a token that is not believed', async () => {
    await expectRefused(required(), token(ed, claims({ exp: inSeconds(-40) })));
  });
});

describe('keys are renewed by an edit of the function', () => {
  it('for the next connection, and those that are open go on', async () => {
    const next = signingKey('ES256', 'next');
    const target = scene.serve('renewed', { auth: { jwt: jwtAuth([ec]) } });
    const client = await scene.ask(target, [`Authorization: Bearer ${token(ec)}`]);
    expect(await client.head()).toMatch(/^HTTP\/1\.1 101 /);
    await expectRefused(target, token(next));

    scene.serve('renewed', { auth: { jwt: jwtAuth([next]) } });
    await expectRefused(target, token(ec));
    await expectGranted(target, token(next));
    client.send(Buffer.from('8182000000006869', 'hex')); // a masked text message
    expect((await client.take(4)).toString('latin1')).toBe('\x81\x02hi');
    client.socket.destroy();
  });

  it('from keys to API keys, and back', async () => {
    const { key, entry } = apiKey('ci');
    const target = scene.serve('other-way', { auth: { jwt: jwtAuth([ec]) } });
    await expectGranted(target, token(ec));
    scene.serve('other-way', { auth: { apiKeys: [entry] } });
    await expectRefused(target, token(ec));
    await expectGranted(target, key, 'ci');
  });
});
