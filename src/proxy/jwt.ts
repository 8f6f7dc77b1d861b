// Is this token signed by one of the function's keys, for it, and now (RFC 7519)? The only file that knows the library.
import { createLocalJWKSet, errors, type JWTVerifyOptions, jwtVerify } from 'jose';
import type { JwtAuth } from '../api/types.ts';

/** Signatures by a public key alone: with HS256 whoever reads the resource could sign, and `none` is no signature. */
const ALGORITHMS = ['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512', 'ES256', 'ES384', 'ES512', 'EdDSA', 'Ed25519'];
/** How far the clocks of an identity provider and of ours may differ (contract part 6). */
const LEEWAY_SECONDS = 30;

/** What a token says, or why it is not believed: words for the operator, without anything of the token. */
export type CheckedToken = { readonly claims: Readonly<Record<string, unknown>> } | { readonly problem: string };

type Keys = ReturnType<typeof createLocalJWKSet>;

/** The imported keys of a version of a function: an edit of the resource makes new ones. */
const imported = new WeakMap<JwtAuth, Keys>();

/** Checks signature, issuer, audience and times of a token. Never rejects: what cannot be checked is not believed. */
export async function checkJwt(token: string, jwt: JwtAuth): Promise<CheckedToken> {
  const options = {
    algorithms: ALGORITHMS,
    issuer: jwt.issuer,
    audience: jwt.audiences,
    requiredClaims: ['exp'],
    clockTolerance: LEEWAY_SECONDS,
  };
  try {
    return { claims: await verified(token, keysOf(jwt), options) };
  } catch (error) {
    return { problem: `the token was not accepted: ${wordsOf(error as Error)}` };
  }
}

/** The library's own words only where they have nothing of the token: those on a claim that we asked for, or on a key of the function. */
function wordsOf(error: Error): string {
  const onClaim = error instanceof errors.JWTClaimValidationFailed || error instanceof errors.JWTExpired;
  return error instanceof errors.JOSEError && !onClaim ? error.code : error.message;
}

async function verified(token: string, keys: Keys, options: JWTVerifyOptions): Promise<Readonly<Record<string, unknown>>> {
  try {
    return (await jwtVerify(token, keys, options)).payload;
  } catch (error) {
    if (!(error instanceof errors.JWKSMultipleMatchingKeys)) throw error;
    // A token that does not name its key may be signed by any that fits.
    for await (const key of error) {
      try {
        return (await jwtVerify(token, key, options)).payload;
      } catch (failure) {
        if (!(failure instanceof errors.JWSSignatureVerificationFailed)) throw failure;
      }
    }
    throw new errors.JWSSignatureVerificationFailed();
  }
}

function keysOf(jwt: JwtAuth): Keys {
  const known = imported.get(jwt);
  if (known) return known;
  const keys = createLocalJWKSet(jwt.jwks as unknown as Parameters<typeof createLocalJWKSet>[0]);
  imported.set(jwt, keys);
  return keys;
}
