// Headers of an upgrade that are wrong, and those by which a client pretends to be the platform.
import { upgradeHead } from '../support/raw-client.ts';
import { beside, each, type Hostile, inPlace, MALFORMED, NOT_WEBSOCKET, WRONG_VERSION, without } from './table.ts';

const KEY = 'dGhlIHNhbXBsZSBub25jZQ==';
/** What a client sends to be taken for somebody else's request. */
const FORGED = 'forged-by-a-client';

export const UPGRADES: readonly Hostile[] = [
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

export const FORGERIES: readonly Hostile[] = [
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
