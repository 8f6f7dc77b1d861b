// What the tables of hostile handshakes are made of.
import type { Reason } from '../../src/core/outcome.ts';
import { upgradeHead } from '../support/raw-client.ts';

/** A refusal: HTTP status, function code, and the reason that is recorded. */
export interface Refused {
  readonly status: number;
  readonly code: number;
  readonly reason: Reason;
}

/** One handshake and what comes of it. */
export interface Hostile {
  readonly name: string;
  readonly bytes: string | Buffer;
  readonly answer: Refused | 'opens';
  /** What the function must see of one that opens. */
  readonly sees?: RegExp;
  /** What it must not see. */
  readonly hides?: RegExp;
}

export const MALFORMED: Refused = { status: 400, code: 436, reason: 'bad_handshake' };
export const NOT_WEBSOCKET: Refused = { status: 426, code: 436, reason: 'not_websocket' };
export const WRONG_VERSION: Refused = { status: 426, code: 436, reason: 'bad_handshake' };
export const NO_ROUTE: Refused = { status: 404, code: 435, reason: 'route_not_found' };
export const TOO_SLOW: Refused = { status: 408, code: 436, reason: 'bad_handshake' };
export const TOO_LARGE: Refused = { status: 431, code: 436, reason: 'bad_handshake' };

/** A good handshake but for these lines: beside, or in place of its own. */
export const beside = (...lines: string[]) => upgradeHead('/test/echo', lines);
export const inPlace = (name: string) => (value: string) => upgradeHead('/test/echo', [`${name}: ${value}`], [name]);
export const without = (name: string) => upgradeHead('/test/echo', [], [name]);

/** A row for each of these values. */
export function each(what: string, answer: Hostile['answer'], values: readonly string[], bytes: (value: string) => string): Hostile[] {
  return values.map((value) => ({ name: `${what} ${JSON.stringify(value).slice(0, 60)}`, bytes: bytes(value), answer }));
}
