// Who is this client, and may it connect? At once, except where a signature has to be checked.
import { createHash } from 'node:crypto';
import type { JwtAuth } from '../api/types.ts';
import { apiKeyOf, foreignOrigin, missingClaim, presentedToken, subjectOf } from '../core/access.ts';
import type { Denied } from '../core/admission.ts';
import { headerValues } from '../core/request.ts';
import type { ServedFunction } from '../core/served.ts';
import { checkJwt } from './jwt.ts';

/** A client that may connect. */
export interface Granted {
  /** The name of the API key or the subject that let it in; empty where everybody may. */
  readonly access: string;
}

const EVERYBODY: Granted = { access: '' };

/**
 * Holds a request to the access rules of its function. `detail` of a denial is for the operator, not for the client.
 * @returns a promise, which never rejects, only where a signature has to be checked
 */
export function authorize(
  { spec }: ServedFunction,
  rawHeaders: readonly string[],
  query: string,
): Granted | Denied | Promise<Granted | Denied> {
  const foreign = spec.allowedOrigins && foreignOrigin(headerValues(rawHeaders, 'origin'), spec.allowedOrigins);
  if (foreign !== undefined) return { reason: 'origin_denied', detail: `the origin ${foreign} is not allowed` };
  if (!spec.auth) return EVERYBODY;
  const presented = presentedToken(rawHeaders, query);
  if ('problem' in presented) return { reason: 'bad_credentials', detail: presented.problem };
  const { apiKeys = [], jwt } = spec.auth;
  const name = apiKeyOf(createHash('sha256').update(presented.token, 'latin1').digest('hex'), apiKeys);
  if (name !== undefined) return { access: name };
  return jwt ? byJwt(presented.token, jwt) : { reason: 'bad_credentials', detail: 'no API key has the hash of the token' };
}

async function byJwt(token: string, jwt: JwtAuth): Promise<Granted | Denied> {
  const checked = await checkJwt(token, jwt);
  if ('problem' in checked) return { reason: 'bad_credentials', detail: checked.problem };
  const missing = missingClaim(checked.claims, jwt.requiredClaims);
  if (missing !== undefined) return { reason: 'claims_denied', detail: `the token does not have the required claim ${missing}` };
  return { access: subjectOf(checked.claims) };
}
