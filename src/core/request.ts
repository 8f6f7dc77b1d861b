// Is this a well-formed WebSocket upgrade (RFC 6455, section 4.2.1; RFC 9112)? Everything is judged on the raw request: nothing
// is decoded, repaired or guessed, so that no two parsers in the path can read it in two ways.

/** The request line and header lines as they came: names and values alternate in `rawHeaders`. */
export interface RawRequest {
  readonly method: string;
  /** `1.1` */
  readonly httpVersion: string;
  /** The request target, raw. */
  readonly target: string;
  readonly rawHeaders: readonly string[];
}

/** Where a request wants to go: `host` in lower case without port and final dot, `path` raw and without its query. */
export interface Address {
  readonly host: string;
  readonly path: string;
  /** The raw query with its `?`, or empty. */
  readonly query: string;
}

/** A request that cannot be taken: words for the body, and the HTTP status where it is not 400. */
export interface Malformed {
  readonly malformed: string;
  readonly status?: number;
}

const HOST = /^(?:[a-z0-9_-]+(?:\.[a-z0-9_-]+)*\.?|\[[0-9a-f:.]+\])(?::[0-9]{1,5})?$/;
const KEY = /^[A-Za-z0-9+/]{21}[AQgw]==$/;
const PATH = /^\/[\x21-\x7e]*$/;

/** All values of a header, in order. */
export function headerValues(rawHeaders: readonly string[], name: string): string[] {
  const values: string[] = [];
  for (let i = 0; i + 1 < rawHeaders.length; i += 2) {
    if (rawHeaders[i]?.toLowerCase() === name) values.push(rawHeaders[i + 1] ?? '');
  }
  return values;
}

/** The comma-separated items of all lines of a header, trimmed. */
export function headerTokens(rawHeaders: readonly string[], name: string): string[] {
  return headerValues(rawHeaders, name)
    .flatMap((value) => value.split(','))
    .map((token) => token.trim())
    .filter((token) => token !== '');
}

/** Host and path of a request, or what is wrong with them. */
export function addressOf(request: RawRequest): Address | Malformed {
  if (request.httpVersion !== '1.1') return { malformed: `HTTP/${request.httpVersion} is not supported; use HTTP/1.1` };
  const hosts = headerValues(request.rawHeaders, 'host');
  if (hosts.length !== 1) return { malformed: `exactly one Host header is needed, not ${hosts.length}` };
  const authority = (hosts[0] ?? '').toLowerCase();
  if (!HOST.test(authority)) return { malformed: 'the Host header is not a host name with an optional port' };
  const host = authority.replace(/:[0-9]+$/, '').replace(/\.$/, '');

  const mark = request.target.indexOf('?');
  const path = mark < 0 ? request.target : request.target.slice(0, mark);
  const query = mark < 0 ? '' : request.target.slice(mark);
  if (!PATH.test(path) || !/^[\x21-\x7e]*$/.test(query)) return { malformed: 'the request target is not a path' };
  if (request.target.includes('#')) return { malformed: 'the request target has a fragment' };
  const odd = oddPath(path);
  if (odd !== undefined) return { malformed: `the path has ${odd}` };
  return { host, path, query };
}

/** What makes a path ambiguous between parsers; undefined when nothing does. */
export function oddPath(path: string): string | undefined {
  if (path.includes('//')) return 'an empty segment (//)';
  if (path.includes('\\')) return 'a backslash';
  const lower = path.toLowerCase();
  if (lower.includes('%2f') || lower.includes('%5c')) return 'an encoded slash';
  if (lower.includes('%2e')) return 'an encoded dot';
  if (/(^|\/)\.{1,2}(\/|$)/.test(path)) return 'a dot segment';
  return undefined;
}

/** Does the request ask for a WebSocket at all? */
export function wantsWebSocket(rawHeaders: readonly string[]): boolean {
  return headerTokens(rawHeaders, 'upgrade').some((token) => token.toLowerCase() === 'websocket');
}

/** What is wrong with the upgrade (RFC 6455, section 4.2.1); undefined when nothing is. */
export function upgradeProblem(request: RawRequest): Malformed | undefined {
  const { rawHeaders } = request;
  if (request.method !== 'GET') return { malformed: `the method is ${request.method.slice(0, 16)}, not GET` };
  if (headerValues(rawHeaders, 'content-length').length > 0) return { malformed: 'an upgrade has no Content-Length' };
  if (headerValues(rawHeaders, 'transfer-encoding').length > 0) return { malformed: 'an upgrade has no Transfer-Encoding' };
  if (!headerTokens(rawHeaders, 'connection').some((token) => token.toLowerCase() === 'upgrade')) {
    return { malformed: 'the Connection header does not name Upgrade' };
  }
  const keys = headerValues(rawHeaders, 'sec-websocket-key');
  if (keys.length !== 1 || !KEY.test(keys[0] ?? '')) return { malformed: 'Sec-WebSocket-Key is not 16 bytes in base64, once' };
  const versions = headerValues(rawHeaders, 'sec-websocket-version');
  if (versions.length !== 1 || versions[0] !== '13') return { malformed: 'Sec-WebSocket-Version is not 13', status: 426 };
  return undefined;
}
