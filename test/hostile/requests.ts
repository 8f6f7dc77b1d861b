// Hostile request lines, and first bytes of other protocols.
import { upgradeHead } from '../support/raw-client.ts';

interface RequestLine {
  readonly name: string;
  readonly bytes: string;
  /** Default: 400. */
  readonly answer?: 'opens';
  readonly sees?: RegExp;
}

const line = (text: string) => upgradeHead('/').replace('GET / HTTP/1.1', () => text);

const TARGETS = [
  '/.',
  '/..',
  '/./a',
  '/a/.',
  '/a/..',
  '/a/../b',
  '/../../etc/passwd',
  '/a/..?b',
  '/%2e/a',
  '/%2E%2e/a',
  '/.%2e/a',
  '/a%2ejs',
  '/a%2fb',
  '/a%2Fb',
  '/%2e%2e%2fa',
  '/a%5cb',
  '/a%5Cb',
  '/a\\b',
  '/a\\..\\b',
  '//',
  '//a',
  '/a//b',
  '/a//',
  '//other.example/a',
  '/a#b',
  '/#',
  '/a?b#c',
  '/\xe4',
  '/\xc0\xae\xc0\xae/a',
  '/a?\xff',
  '/a\x00',
  '/a\x01b',
  '/a\tb',
  '/a\x0bb',
  '/a\x7fb',
  '/a\x1b[2J',
  '/a\r/b',
  '/a b',
  'a',
  '?a',
  '*',
  '\\a',
  './a',
  '#',
  'http://proxy.example/',
  'https://proxy.example/a',
  'ws://proxy.example/a',
  'http://user@proxy.example/a',
  'http://other.example/a',
  'file:///etc/passwd',
  'proxy.example:80',
  'proxy.example/a',
];

/** Odd, and passed on as they are: the contract decodes nothing. */
const PASSED = [
  '/...',
  '/a/..;/b',
  '/%252e%252e/a',
  '/%00',
  '/%c0%ae%c0%ae/a',
  '/a?/../b',
  '/a?//%2f%2e\\',
  '/%',
  '/~!$&\'()*+,;=:@-._"<>^`{|}',
  `/${'a/'.repeat(7000)}`,
];

const LINES = [
  'GET /',
  'GET / HTTP/1.1 ',
  'GET\t/ HTTP/1.1',
  'GET /\tHTTP/1.1',
  ' GET / HTTP/1.1',
  'GET / HTTP/1.0',
  'GET / HTTP/0.9',
  'GET / HTTP/1.2',
  'GET / HTTP/1.10',
  'GET / HTTP/01.1',
  'GET / HTTP/2.0',
  'GET / HTTP/11',
  'GET / http/1.1',
  'GET / HTTPS/1.1',
  'GET / RTSP/1.0',
  'SOURCE / ICE/1.0',
  'GET / HTTP/1.1 HTTP/1.1',
  'GET / HTTP/1.1\x00',
  'GET\x00 / HTTP/1.1',
  'GET  HTTP/1.1',
  'GET HTTP/1.1',
  'HTTP/1.1 200 OK',
  'OPTIONS * HTTP/1.1',
  'CONNECT proxy.example:80 HTTP/1.1',
  'CONNECT / HTTP/1.1',
];

export const REQUEST_LINES: readonly RequestLine[] = [
  ...TARGETS.map((target) => ({ name: `the target ${JSON.stringify(target)}`, bytes: line(`GET ${target} HTTP/1.1`) })),
  ...LINES.map((text) => ({ name: JSON.stringify(text), bytes: line(text) })),
  { name: 'an HTTP/0.9 request', bytes: 'GET /\r\n\r\n' },
  ...PASSED.map((target) => ({
    name: `the target ${JSON.stringify(target).slice(0, 40)}`,
    bytes: line(`GET ${target} HTTP/1.1`),
    answer: 'opens' as const,
    sees: new RegExp(`^GET ${target.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&')} HTTP/1\\.1\r\n`),
  })),
  ...['GET   / HTTP/1.1', 'GET /   HTTP/1.1'].map((text) => ({
    name: `${JSON.stringify(text)}, which may be read as with single blanks (RFC 9112, section 3)`,
    bytes: line(text),
    answer: 'opens' as const,
    sees: /^GET \/ HTTP\/1\.1\r\n/,
  })),
  { name: 'line ends before it, which are skipped', bytes: `\r\n\n\r${upgradeHead('/')}`, answer: 'opens', sees: /^GET \/ / },
  { name: 'an empty line before it (RFC 9112, section 2.2)', bytes: `\r\n${upgradeHead('/')}`, answer: 'opens', sees: /^GET \/ / },
];

/** First bytes of other protocols. */
export const ALIENS: readonly [name: string, bytes: string | Buffer][] = [
  ['the preface of HTTP/2', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'],
  ['a TLS client hello', '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03'],
  ['a client hello of SSLv2', '\x80\x2e\x01\x00\x02\x00\x15\x00\x00\x00\x10'],
  ['SOCKS4', '\x04\x01\x00\x50\x7f\x00\x00\x01\x00'],
  ['SOCKS5', '\x05\x01\x00'],
  ['an SSH banner', 'SSH-2.0-OpenSSH_9.9\r\n'],
  ['a mail client', 'EHLO a.example\r\n'],
  ['a PROXY protocol line', `PROXY TCP4 192.0.2.1 192.0.2.2 1 2\r\n${upgradeHead('/')}`],
  [
    'a PROXY protocol v2 header',
    `\r\n\r\n\x00\r\nQUIT\n\x21\x11\x00\x0c\x7f\x00\x00\x01\x7f\x00\x00\x01\x00\x01\x00\x02${upgradeHead('/')}`,
  ],
  ['a Redis command', '*1\r\n$4\r\nPING\r\n'],
  ['a DNS query', '\x00\x1d\xab\xcd\x01\x00\x00\x01\x00\x00\x00\x00\x00\x00'],
  ['remote desktop', '\x03\x00\x00\x13\x0e\xe0\x00\x00\x00\x00\x00\x01\x00\x08\x00\x03\x00\x00\x00'],
  ['a WebSocket frame', '\x81\x85\x12\x34\x56\x78\x7a\x51\x3a\x14\x7d'],
  ['JSON', '{"method":"GET"}\r\n\r\n'],
  ['a byte order mark', `\xef\xbb\xbf${upgradeHead('/')}`],
  ['zeroes', Buffer.alloc(100_000)],
  ['ones', Buffer.alloc(100_000, 0xff)],
];
