// Which requests are taken: never a fault, nothing that a second parser reads in another way, nothing that the grammar of HTTP forbids.
import fc from 'fast-check';
import { expect } from 'vitest';
import { addressOf, type RawRequest, upgradeProblem, wantsWebSocket } from '../../src/core/request.ts';
import { upgradeHead } from '../support/raw-client.ts';
import { anyCase, fuzz, textOf } from './fuzz.ts';
import { upgradeIn } from './node-parser.ts';

const KEY = 'dGhlIHNhbXBsZSBub25jZQ==';
const PATH_WORDS = ['/', '/', 'a', '.', '..', '//', '%2e', '%2F', '%5c', '\\', '?', '#', '%', '%00', ';', ':', '@', 'http:', '*', ' ', '~'];
const HOST_WORDS = ['a', 'example', '.', '.', ':', '80', '[', ']', '::1', '@', '/', ',', ' ', '-', '_', 'A', '%2e', '*', '127.0.0.1'];
const NAMES = ['Host', 'Connection', 'Upgrade', 'Sec-WebSocket-Key', 'Sec-WebSocket-Version', 'Content-Length', 'Transfer-Encoding', 'X'];
const VALUES = ['Upgrade', 'websocket', '13', '8', ',', ' ', KEY, 'a.example', 'chunked', '0', 'h2c', 'close', '='];

const target = fc.oneof(
  textOf(PATH_WORDS),
  textOf(PATH_WORDS).map((text) => `/${text}`),
);
const line = fc.tuple(anyCase(fc.constantFrom(...NAMES)), fc.oneof(fc.constantFrom(...VALUES), textOf(VALUES, 4)));
const GOOD = [
  ['Host', 'a.example'],
  ['Connection', 'Upgrade'],
  ['Upgrade', 'websocket'],
  ['Sec-WebSocket-Version', '13'],
  ['Sec-WebSocket-Key', KEY],
] as const;

const request: fc.Arbitrary<RawRequest> = fc
  .record({
    method: fc.constantFrom('GET', 'GET', 'GET', 'POST', 'HEAD', ''),
    httpVersion: fc.constantFrom('1.1', '1.1', '1.1', '1.0', '2.0', ''),
    target,
    kept: fc.subarray([...GOOD], { minLength: 4 }),
    host: fc.option(textOf(HOST_WORDS), { nil: undefined }),
    more: fc.array(line, { maxLength: 2 }),
  })
  .map(({ kept, host, more, ...rest }) => {
    const lines = kept.map(([name, value]) => [name, name === 'Host' ? (host ?? value) : value]);
    return { ...rest, rawHeaders: [...lines, ...more].flat() };
  });

function taken(raw: RawRequest): { host: string; path: string; query: string } | undefined {
  const address = addressOf(raw);
  return 'malformed' in address || !wantsWebSocket(raw.rawHeaders) || upgradeProblem(raw) ? undefined : address;
}

/** What URLs may or may not escape (WHATWG URL, path percent-encode set), in one of both ways. */
function unescaped(path: string): string {
  return path.replaceAll(/%(22|3C|3E|5E|60|7B|7D)/gi, (_, hex) => String.fromCharCode(Number.parseInt(hex, 16)));
}

fuzz('a request is never a fault, and is refused or canonical', request, (raw) => {
  const address = addressOf(raw);
  wantsWebSocket(raw.rawHeaders);
  upgradeProblem(raw);
  if ('malformed' in address) {
    expect(address.malformed).toMatch(/^[ -~]{1,100}$/);
    return;
  }
  const { host, path, query } = address;
  expect(path + query, 'nothing is decoded or repaired').toBe(raw.target);
  expect(host).toMatch(/^(?:[a-z0-9_.-]*[a-z0-9_-]|\[[0-9a-f:.]+\])$/);
  expect(addressOf({ ...raw, rawHeaders: ['Host', host] })).toEqual(address);
  const url = new URL(`http://a${path}`);
  expect(unescaped(url.pathname), 'a browser asks for the same path').toBe(unescaped(path));
  expect([url.host, url.search, url.hash]).toEqual(['a', '', '']);
  expect(decodeURIComponent(path.replaceAll(/%(?![0-7][0-9a-f])/gi, '')).split('/'), 'and has the same segments decoded').toHaveLength(
    path.split('/').length,
  );
});

/** A value as the wire has it: no controls, no blanks around it. */
const onWire = (text: string) => /^[\t -~\x80-\xff]*$/.test(text) && text === text.replaceAll(/^[\t ]+|[\t ]+$/g, '');

fuzz('what is taken is read by node:http as the same request', request, async (raw) => {
  const { method, rawHeaders } = raw;
  if (!taken(raw) || !rawHeaders.every(onWire)) return;
  const lines = rawHeaders.flatMap((name, i) => (i % 2 === 0 ? [`${name}: ${rawHeaders[i + 1]}`] : []));
  expect(await upgradeIn(`${method} ${raw.target} HTTP/1.1\r\n${lines.join('\r\n')}\r\n\r\n`)).toEqual(raw);
});

const WIRE_WORDS = [
  '\r\n',
  '\r',
  '\n',
  '\0',
  ' ',
  '\t',
  ':',
  ',',
  '/',
  '..',
  '%2e',
  '\\',
  '#',
  '?',
  'GET ',
  'HTTP/1.1',
  'X: y\r\n',
  '\xff',
  '\x7f',
];
const LINES = [
  'Content-Length: 1\r\n',
  'Transfer-Encoding: chunked\r\n',
  'Host: b\r\n',
  ' folded\r\n',
  'Connection: close\r\n',
  'X y: z\r\n',
];
const wire = fc
  .array(fc.tuple(fc.nat({ max: 200 }), fc.nat({ max: 3 }), fc.constantFrom(...WIRE_WORDS, ...LINES, '')), { maxLength: 4 })
  .map((edits) =>
    edits.reduce((text, [at, cut, put]) => text.slice(0, at) + put + text.slice(at + cut), upgradeHead('/a/b?c=d', ['X-A: b'])),
  );

/**
 * RFC 9112, sections 2 and 3, without obs-fold. Two liberties of node:http, which change nothing of what the function sees: line ends
 * of any kind before the request line, and more than one blank in it.
 */
const HEAD = /^[\r\n]*GET +(\/[\x21-\x7e]*) +HTTP\/1\.1\r\n((?:[!#$%&'*+.^_`|~0-9A-Za-z-]+:[\t -~\x80-\xff]*\r\n)+)\r\n/;

fuzz(
  'bytes that are taken are one head by the grammar, and every line of it is seen',
  wire,
  async (bytes) => {
    const raw = await upgradeIn(bytes);
    if (!raw || !taken(raw)) return;
    const [, path, lines = ''] = HEAD.exec(bytes) ?? [];
    expect(path, bytes).toBe(raw.target);
    const seen = lines
      .split('\r\n')
      .slice(0, -1)
      .flatMap((one) => [one.slice(0, one.indexOf(':')), one.slice(one.indexOf(':') + 1).replaceAll(/^[\t ]+|[\t ]+$/g, '')]);
    expect(seen).toEqual(raw.rawHeaders);
  },
  [`\r${upgradeHead('/')}`],
);
