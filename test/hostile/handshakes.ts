// Hostile handshakes as bytes, and the answer that the contract has for each (parts 3, 5 and 6). Strings are latin1: one character, one byte.
import { upgradeHead } from '../support/raw-client.ts';
import { ALIENS, REQUEST_LINES } from './requests.ts';

/** A refusal: HTTP status and function code. */
export interface Refused {
  readonly status: number;
  readonly code: number;
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

export const MALFORMED: Refused = { status: 400, code: 436 };
const NOT_WEBSOCKET: Refused = { status: 426, code: 436 };
const WRONG_VERSION: Refused = { status: 426, code: 436 };
const NO_ROUTE: Refused = { status: 404, code: 435 };
export const TOO_LARGE: Refused = { status: 431, code: 436 };

/** What a client sends to be taken for somebody else's request. */
export const FORGED = 'forged-by-a-client';
const KEY = 'dGhlIHNhbXBsZSBub25jZQ==';
const SECOND = upgradeHead('/smuggled');

const beside = (...lines: string[]) => upgradeHead('/test/echo', lines);
const inPlace = (name: string) => (value: string) => upgradeHead('/test/echo', [`${name}: ${value}`], [name]);
const without = (name: string) => upgradeHead('/test/echo', [], [name]);

function each(what: string, answer: Hostile['answer'], values: readonly string[], bytes: (value: string) => string): Hostile[] {
  return values.map((value) => ({ name: `${what} ${JSON.stringify(value).slice(0, 60)}`, bytes: bytes(value), answer }));
}

const SMUGGLING: readonly Hostile[] = [
  ...each(
    'the lines',
    MALFORMED,
    [
      'Content-Length: 0',
      'Content-Length: 5\r\nContent-Length: 5',
      'Content-Length: 5\r\nContent-Length: 6',
      'Content-Length: +5',
      'Content-Length: -1',
      'Content-Length: 5, 5',
      'Content-Length: 99999999999999999999999',
      'Content-Length : 5',
      'Transfer-Encoding: identity',
      'Transfer-Encoding: xchunked',
      'Transfer-Encoding: chunked, identity',
      'Transfer-Encoding:\tchunked',
      'Transfer-Encoding: \x0bchunked',
      'Transfer-Encoding\t: chunked',
      'tRANSFER-eNCODING: Chunked',
      'X: y\r\n Transfer-Encoding: chunked',
      'Transfer-Encoding: chunked\r\nContent-Length: 5',
      'Content-Length: 5\r\nTransfer-Encoding: chunked',
      'Connection: Content-Length\r\nContent-Length: 5',
      'Connection: Transfer-Encoding\r\nTransfer-Encoding: chunked',
      'Expect: 100-continue\r\nContent-Length: 5',
    ],
    (lines) => `${beside(...lines.split('\r\n'))}0\r\n\r\n${SECOND}`,
  ),
  {
    name: 'a body that is a request',
    bytes: beside(`Content-Length: ${SECOND.length}`) + SECOND,
    answer: MALFORMED,
  },
  {
    name: 'a chunk that is a request',
    bytes: `${beside('Transfer-Encoding: chunked')}${SECOND.length.toString(16)}\r\n${SECOND}\r\n0\r\n\r\n`,
    answer: MALFORMED,
  },
  { name: 'an upgrade behind a plain request', bytes: `GET /a HTTP/1.1\r\nHost: proxy.example\r\n\r\n${SECOND}`, answer: NOT_WEBSOCKET },
  {
    name: 'an upgrade in the body of a POST',
    bytes: `POST /a HTTP/1.1\r\nHost: proxy.example\r\nContent-Length: ${SECOND.length}\r\n\r\n${SECOND}`,
    answer: NOT_WEBSOCKET,
  },
  { name: 'an upgrade behind one that has no route', bytes: `${inPlace('Host')('other.example')}${SECOND}`, answer: NO_ROUTE },
  { name: 'a request behind an upgrade, which is data by then', bytes: beside() + SECOND, answer: 'opens', hides: /smuggled/ },
];

const HOSTS: readonly Hostile[] = [
  { name: 'no Host', bytes: without('Host'), answer: MALFORMED },
  ...each(
    'a second line',
    MALFORMED,
    ['Host: other.example', 'Host: proxy.example', 'host:', 'Connection: Host\r\nHost: other.example'],
    beside,
  ),
  ...each(
    'the Host',
    MALFORMED,
    [
      '',
      'user@proxy.example',
      'user:password@proxy.example',
      'proxy.example/x',
      'http://proxy.example',
      'proxy.example:',
      'proxy.example:x',
      'proxy.example:80:80',
      'proxy.example:-1',
      'proxy.example:123456',
      'proxy.example:80@other.example',
      'proxy.example, other.example',
      'proxy.example other.example',
      'proxy.example..',
      '.proxy.example',
      'proxy%2eexample',
      'proxy.example#',
      'proxy.example?x',
      'proxy.example\\',
      'pr\xf6xy.example',
      '*.example',
      '*',
      '[::1',
      '::1',
      '[::1]x',
      '[::1%25eth0]',
    ],
    inPlace('Host'),
  ),
  ...each(
    'the foreign Host',
    NO_ROUTE,
    ['other.example', 'xproxy.example', 'proxy.example.com', 'a.proxy.example', '127.0.0.1', '[::1]:80'],
    inPlace('Host'),
  ),
  ...each('the same Host', 'opens', ['PROXY.Example', 'proxy.example.', 'proxy.example:443', ' \tproxy.example \t'], inPlace('Host')),
  {
    name: 'a foreign Host with the right one forwarded',
    bytes: upgradeHead('/', ['Host: other.example', 'X-Forwarded-Host: proxy.example', 'X-Host: proxy.example'], ['Host']),
    answer: NO_ROUTE,
  },
];

const LINES: readonly Hostile[] = [
  ...each(
    'the line',
    MALFORMED,
    [
      'X: a\r\n b',
      'X: a\r\n\tb',
      ' X: a',
      'X : a',
      'X\t: a',
      'X y: a',
      ': a',
      'X',
      'X(y): a',
      'X"y": a',
      'X\xf6: a',
      'X\x01: a',
      'X\x00: a',
      'X: a\nY: b',
      'X: a\rY: b',
      'X: a\r',
      'X: a\x00b',
      'X: a\x01b',
      'X: a\x0bb',
      'X: a\x1b[2Jb',
      'X: a\x7fb',
    ],
    beside,
  ),
  { name: 'line feeds alone', bytes: beside().replaceAll('\r\n', '\n'), answer: MALFORMED },
  { name: 'carriage returns alone', bytes: `${beside().slice(0, -4).replaceAll('\r\n', '\r')}\r\n\r\n`, answer: MALFORMED },
  { name: 'a folded Host', bytes: inPlace('Host')('proxy.\r\n example'), answer: MALFORMED },
  { name: 'a folded first line', bytes: beside().replace('\r\n', '\r\n X: y\r\n'), answer: MALFORMED },
  { name: 'an end by line feeds', bytes: `${beside().slice(0, -4)}\n\n`, answer: MALFORMED },
  { name: 'a head of nearly 16 KiB in one line', bytes: beside(`X: ${'x'.repeat(16_000)}`), answer: 'opens' },
  { name: 'a head of nearly 16 KiB in 3,200 lines', bytes: beside(...Array.from({ length: 3200 }, () => 'a:b')), answer: 'opens' },
  { name: 'a head over 16 KiB in one line', bytes: beside(`X: ${'x'.repeat(16_384)}`), answer: TOO_LARGE },
  { name: 'a head over 16 KiB in the path', bytes: upgradeHead(`/${'x'.repeat(16_384)}`), answer: TOO_LARGE },
  { name: 'a head over 16 KiB in a name', bytes: beside(`${'x'.repeat(16_384)}: y`), answer: TOO_LARGE },
  { name: 'a head over 16 KiB in 4,000 lines', bytes: beside(...Array.from({ length: 4000 }, () => 'a:b')), answer: TOO_LARGE },
  { name: 'a head over 16 KiB in blanks', bytes: beside(`X:${' '.repeat(16_384)}y`), answer: TOO_LARGE },
  { name: 'a head of a megabyte', bytes: beside(`X: ${'x'.repeat(2 ** 20)}`), answer: TOO_LARGE },
];

const UPGRADES: readonly Hostile[] = [
  ...each('the method', MALFORMED, ['POST', 'PUT', 'HEAD', 'DELETE', 'OPTIONS', 'TRACE', 'PROPFIND', 'get', 'GETX', 'BREW', ''], (method) =>
    beside().replace('GET', method),
  ),
  ...each(
    'the key',
    MALFORMED,
    [
      '',
      'dGhl',
      `${KEY}x`,
      'dGhlIHNhbXBsZSBub25jZQ',
      'dGhlIHNhbXBsZSBub25jZR==',
      'dGhlIHNhbXBsZSBub25jZQ=a',
      'dGhlIHNhbXBsZSBub25-_Q==',
      'dGhlIHNhbXBs ZSBub25jZQ==',
      `${KEY}, ${KEY}`,
      'AAAAAAAAAAAAAAAAAAAAAAAA',
    ],
    inPlace('Sec-WebSocket-Key'),
  ),
  { name: 'no key', bytes: without('Sec-WebSocket-Key'), answer: MALFORMED },
  { name: 'two keys', bytes: beside(`Sec-WebSocket-Key: ${KEY}`), answer: MALFORMED },
  ...each(
    'the version',
    WRONG_VERSION,
    ['', '0', '7', '8', '12', '14', '130', '13, 8', '8, 13', '13,13', '013', '13.0', '+13'],
    inPlace('Sec-WebSocket-Version'),
  ),
  { name: 'no version', bytes: without('Sec-WebSocket-Version'), answer: WRONG_VERSION },
  { name: 'two lines of versions', bytes: beside('Sec-WebSocket-Version: 13'), answer: WRONG_VERSION },
  { name: 'an older version beside', bytes: beside('Sec-WebSocket-Version: 8'), answer: WRONG_VERSION },
  ...each('Connection', MALFORMED, ['', 'close', 'keep-alive', 'upgrades', 'Up grade', 'x-Upgrade', 'Upgrade;q=1'], inPlace('Connection')),
  { name: 'no Connection', bytes: without('Connection'), answer: MALFORMED },
  ...each(
    'Upgrade',
    NOT_WEBSOCKET,
    ['', 'h2c', 'websocket/13', 'websockets', 'web socket', 'TLS/1.2, HTTP/1.1', '"websocket"'],
    inPlace('Upgrade'),
  ),
  { name: 'no Upgrade', bytes: without('Upgrade'), answer: NOT_WEBSOCKET },
  {
    name: 'an upgrade to HTTP/2',
    bytes: beside('HTTP2-Settings: AAMAAABkAARAAAAAAAIAAAAA').replace('websocket', 'h2c'),
    answer: NOT_WEBSOCKET,
  },
];

const OURS = [
  'X-Scf-Request-Id',
  'X_Scf_Request_Id',
  'x-scf_name',
  'X-SCF-Memory',
  'X-Socketpod-Status',
  'X_SOCKETPOD_ADMIN',
  'X-Request-Id',
  'X_Request_Id',
  'X-Forwarded-For',
  'X_FORWARDED_FOR',
  'X-Forwarded-Proto',
  'X-Forwarded-Prefix',
  'Forwarded',
  'X-Real-IP',
  'x_real-ip',
];

const FORGERIES: readonly Hostile[] = [
  ...OURS.map(
    (name): Hostile => ({ name: `a ${name} of its own`, bytes: beside(`${name}: ${FORGED}`), answer: 'opens', hides: new RegExp(FORGED) }),
  ),
  {
    name: 'our headers named in Connection',
    bytes: beside('Connection: Host, X-Request-Id, X-Forwarded-For, X-Scf-Name, Sec-WebSocket-Key, Sec-WebSocket-Version'),
    answer: 'opens',
    sees: /^host: proxy\.example\r\n(?=[\s\S]*^x-request-id: [0-9a-f-]{36}\r$)(?=[\s\S]*^x-forwarded-for: 127\.0\.0\.1\r$)(?=[\s\S]*^x-scf-name: everything\r$)/m,
  },
  {
    name: 'headers of one hop',
    bytes: beside(
      'Keep-Alive: 5',
      'TE: trailers',
      'Trailer: x',
      'Proxy-Authorization: Basic eDp5',
      'Proxy-Connection: x',
      'Expect: 100-continue',
    ),
    answer: 'opens',
    hides: /^(?:keep-alive|te|trailer|proxy-authorization|proxy-connection|expect):/m,
  },
  { name: 'a header named in Connection', bytes: beside('Connection: X-Hop', 'X-Hop: y'), answer: 'opens', hides: /^x-hop:/m },
  {
    name: 'an access token in the query',
    bytes: upgradeHead('/a?b=c&access_token=secret&d=e'),
    answer: 'opens',
    sees: /^GET \/a\?b=c&d=e /,
  },
];

export const HANDSHAKES: Readonly<Record<string, readonly Hostile[]>> = {
  smuggling: SMUGGLING,
  hosts: HOSTS,
  'header lines': LINES,
  'upgrade headers': UPGRADES,
  forgeries: FORGERIES,
  'request lines': REQUEST_LINES.map(({ answer, ...row }) => ({ ...row, answer: answer ?? MALFORMED })),
  'what is no HTTP/1.1': ALIENS.map(([name, bytes]) => ({ name, bytes, answer: MALFORMED })),
};
