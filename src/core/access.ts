// Who may connect to a function (contract part 6): which token came with a request and where, which origin, API key or claim fits.
// What is read as a token here is also what is taken out here, so that no spelling of it reaches a function.
import type { ApiKey } from '../api/types.ts';
import { firstBytes } from './last-words.ts';
import { headerValues } from './request.ts';

/** Longest token that is looked at, in bytes: a JWT with many claims has 2 KiB, a request's head 16. */
const MAX_TOKEN = 8192;
/** Text from outside is cut to this many bytes before it is recorded (contract part 6). */
const MAX_RECORDED = 256;
const TOKEN_PARAMETER = 'access_token';
const LABELS = /^[a-z0-9_-]+(\.[a-z0-9_-]+)*$/;

/** The one token of a request, a character for each of its bytes; or why there is none. */
export type PresentedToken = { readonly token: string } | { readonly problem: string };

/** The token of `Authorization: Bearer` or of the query: one of both, once (RFC 6750, section 2). */
export function presentedToken(rawHeaders: readonly string[], query: string): PresentedToken {
  const lines = headerValues(rawHeaders, 'authorization');
  const inQuery = query.slice(1).split('&').filter(isToken);
  const tokens = [...lines.filter(isBearer).map((line) => line.slice('bearer'.length).trim()), ...inQuery.map(tokenIn)];
  const [token] = tokens;
  if (token === undefined) return { problem: 'no token was sent' };
  if (tokens.length > 1 || lines.length > 1) return { problem: 'more than one token was sent' };
  if (token === '') return { problem: 'the token is empty' };
  if (token.length > MAX_TOKEN) return { problem: 'the token is over 8 KiB' };
  return { token };
}

/** The query without access tokens, which are the platform's own business (contract part 5). */
export function withoutToken(query: string): string {
  const pairs = query.slice(1).split('&');
  const kept = pairs.filter((pair) => !isToken(pair));
  if (kept.length === pairs.length) return query;
  return kept.length === 0 || (kept.length === 1 && kept[0] === '') ? '' : `?${kept.join('&')}`;
}

/** The header lines without `Authorization: Bearer`; that of another scheme is the function's own. */
export function withoutBearer(rawHeaders: readonly string[]): string[] {
  return rawHeaders.filter((_, i) => {
    const at = i - (i % 2);
    return rawHeaders[at]?.toLowerCase() !== 'authorization' || !isBearer(rawHeaders[at + 1] ?? '');
  });
}

/**
 * The origin of a request that may not connect; undefined when it may. A request without one comes from no browser, and passes.
 * Origins are compared in lower case, with their port: browsers leave the default one out. `*.` is one label or more, never none.
 * @param origins the values of its Origin lines
 */
export function foreignOrigin(origins: readonly string[], allowed: readonly string[]): string | undefined {
  const fits = (origin: string) => allowed.some((one) => originFits(origin.toLowerCase(), one));
  if (origins.length === 0 || (origins.length === 1 && origins.every(fits))) return undefined;
  return origins
    .join(', ')
    .replaceAll(/[^ -~]/g, '?')
    .slice(0, MAX_RECORDED);
}

/** The name of the API key with this hash. Every key is compared to its end, so that the time taken tells nothing of any. */
export function apiKeyOf(sha256: string, keys: readonly ApiKey[]): string | undefined {
  let found: string | undefined;
  for (const key of keys) if (sameText(key.sha256, sha256)) found = key.name;
  return found;
}

/**
 * The first claim that a token lacks; undefined when it has them all. A claim fits when it is the value, or a list that has it;
 * numbers and booleans are compared as JSON writes them.
 */
export function missingClaim(
  claims: Readonly<Record<string, unknown>>,
  required: Readonly<Record<string, string>> = {},
): string | undefined {
  const has = ([name, value]: [string, string]) =>
    Object.hasOwn(claims, name) && [claims[name]].flat().some((one) => typeof one !== 'object' && String(one) === value);
  return Object.entries(required).find((claim) => !has(claim))?.[0];
}

/** Whom a token names, for the record: `jwt:` and its subject. */
export function subjectOf(claims: Readonly<Record<string, unknown>>): string {
  return firstBytes(`jwt:${typeof claims.sub === 'string' ? claims.sub : ''}`, MAX_RECORDED);
}

function isBearer(authorization: string): boolean {
  return /^bearer(?!\S)/i.test(authorization);
}

/** Is this pair of a query a token? Its name counts as the function's own parser would read it. */
function isToken(pair: string): boolean {
  return decoded(pair.split('=', 1)[0] ?? '') === TOKEN_PARAMETER;
}

function tokenIn(pair: string): string {
  const mark = pair.indexOf('=');
  return mark < 0 ? '' : decoded(pair.slice(mark + 1));
}

/** Percent-decoded, a character for each byte. `+` stays: keys in base64 have it, and no token has a blank. */
function decoded(text: string): string {
  return text.replaceAll(/%([0-9a-f]{2})/gi, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));
}

function originFits(origin: string, allowed: string): boolean {
  const [scheme = '', suffix] = allowed.split('*');
  if (suffix === undefined) return origin === allowed;
  return origin.startsWith(scheme) && origin.endsWith(suffix) && LABELS.test(origin.slice(scheme.length, -suffix.length));
}

function sameText(a: string, b: string): boolean {
  let different = a.length ^ b.length;
  for (let i = 0; i < a.length; i++) different |= a.charCodeAt(i) ^ b.charCodeAt(i);
  return different === 0;
}
