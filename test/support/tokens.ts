// Keys and tokens made by hand with node:crypto, so that a test can make what no library would.
import { constants, createHash, createHmac, generateKeyPairSync, type KeyObject, randomBytes, sign } from 'node:crypto';
import type { JwtAuth } from '../../src/api/types.ts';

/** Signature algorithms that are taken. */
export type Algorithm = 'RS256' | 'PS256' | 'ES256' | 'EdDSA';

/** A key pair of an identity provider. */
export interface SigningKey {
  readonly alg: Algorithm;
  readonly kid: string | undefined;
  /** The public part, as in a resource. */
  readonly jwk: Record<string, unknown>;
  readonly publicKey: KeyObject;
  sign(data: string): Buffer;
}

export const ISSUER = 'https://id.example.com/';
export const AUDIENCE = 'terminal';

/** Makes a key; without `kid` its tokens and its JWK have none. */
export function signingKey(alg: Algorithm, kid?: string): SigningKey {
  const { publicKey, privateKey } = pair(alg);
  return {
    alg,
    kid,
    publicKey,
    jwk: { ...publicKey.export({ format: 'jwk' }), ...(kid === undefined ? {} : { kid, alg, use: 'sig' }) },
    sign(data) {
      if (alg === 'EdDSA') return sign(null, Buffer.from(data), privateKey);
      if (alg === 'ES256') return sign('sha256', Buffer.from(data), { key: privateKey, dsaEncoding: 'ieee-p1363' });
      const padding = alg === 'PS256' ? { padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: 32 } : {};
      return sign('sha256', Buffer.from(data), { key: privateKey, ...padding });
    },
  };
}

function pair(alg: Algorithm): { publicKey: KeyObject; privateKey: KeyObject } {
  if (alg === 'EdDSA') return generateKeyPairSync('ed25519');
  if (alg === 'ES256') return generateKeyPairSync('ec', { namedCurve: 'P-256' });
  return generateKeyPairSync('rsa', { modulusLength: 2048 });
}

/** `auth.jwt` of a function that believes these keys. */
export function jwtAuth(keys: readonly SigningKey[], requiredClaims?: Record<string, string>): JwtAuth {
  return {
    issuer: ISSUER,
    audiences: [AUDIENCE, 'other'],
    jwks: { keys: keys.map(({ jwk }) => jwk) },
    ...(requiredClaims ? { requiredClaims } : {}),
  };
}

/** Seconds since 1970, this many from now. */
export function inSeconds(seconds: number): number {
  return Math.floor(Date.now() / 1000) + seconds;
}

/** A claim that is undefined is left out. */
export type Claims = Readonly<Record<string, unknown>>;

/** The claims of a token that is in order, with these changes. */
export function claims(more: Claims = {}): Claims {
  return { iss: ISSUER, aud: AUDIENCE, sub: 'alice', exp: inSeconds(300), ...more };
}

/** A token with these claims and changes of its header, signed by the key, or by `signature` of its first two parts. */
export function token(
  key: SigningKey,
  payload: unknown = claims(),
  { header = {}, signature = (data: string) => key.sign(data) }: { header?: object; signature?: (data: string) => Uint8Array } = {},
): string {
  const data = `${part({ alg: key.alg, kid: key.kid, ...header })}.${part(payload)}`;
  return `${data}.${Buffer.from(signature(data)).toString('base64url')}`;
}

/** A part of a token. */
export function part(value: unknown): string {
  return Buffer.from(JSON.stringify(value)).toString('base64url');
}

/** Signs with a secret, as HS256 does. */
export function hmac(secret: string | Buffer): (data: string) => Buffer {
  return (data) => createHmac('sha256', secret).update(data).digest();
}

/** A made-up API key and its entry in a function. */
export function apiKey(name: string): { key: string; entry: { name: string; sha256: string } } {
  const key = `key-${randomBytes(16).toString('hex')}`;
  return { key, entry: { name, sha256: createHash('sha256').update(key).digest('hex') } };
}
