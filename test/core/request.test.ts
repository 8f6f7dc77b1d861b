// What is a WebSocket upgrade and what is not: judged on the raw request.
import { describe, expect, it } from 'vitest';
import { addressOf, headerTokens, headerValues, oddPath, type RawRequest, upgradeProblem, wantsWebSocket } from '../../src/core/request.ts';

const HEADERS = {
  Host: 'a.example',
  Connection: 'Upgrade',
  Upgrade: 'websocket',
  'Sec-WebSocket-Version': '13',
  'Sec-WebSocket-Key': 'dGhlIHNhbXBsZSBub25jZQ==',
};

/** A good upgrade with these header lines instead of its own; undefined leaves one out. */
function request(lines: Readonly<Record<string, string | undefined>> = {}, more: Partial<RawRequest> = {}): RawRequest {
  const rawHeaders = Object.entries({ ...HEADERS, ...lines }).flatMap(([name, value]) => (value === undefined ? [] : [name, value]));
  return { method: 'GET', httpVersion: '1.1', target: '/a/b', rawHeaders, ...more };
}

function twice(name: string, value: string): RawRequest {
  const good = request();
  return { ...good, rawHeaders: [...good.rawHeaders, name, value] };
}

describe('header lines', () => {
  it('are found under any case, all of them and in order', () => {
    expect(headerValues(['X', '1', 'y', '2', 'x', '3'], 'x')).toEqual(['1', '3']);
    expect(headerValues(['x', '1'], 'y')).toEqual([]);
  });

  it('are split at commas over all lines, without blanks and empty items', () => {
    expect(headerTokens(['A', 'x , y', 'a', ',,z,'], 'a')).toEqual(['x', 'y', 'z']);
  });
});

describe('the address of a request', () => {
  it.each([
    ['a.example', 'a.example'],
    ['A.Example:8080', 'a.example'],
    ['a.example.', 'a.example'],
    ['a.example.:443', 'a.example'],
    ['localhost', 'localhost'],
    ['10.0.0.1:80', '10.0.0.1'],
    ['[2001:DB8::1]:443', '[2001:db8::1]'],
    ['[::1]', '[::1]'],
    ['under_score.example', 'under_score.example'],
  ])('reads Host %s as %s', (line, host) => {
    expect(addressOf(request({ Host: line }))).toEqual({ host, path: '/a/b', query: '' });
  });

  it.each(['', 'a b', 'a/b', 'a@b', 'a..b', '.a', 'a:', 'a:x', 'a:123456', 'a, b', '::1', '[::1', 'ä', '*.a', 'a?b', 'a#b', 'a%2eb'])(
    'refuses the Host %j',
    (line) => {
      expect(addressOf(request({ Host: line }))).toEqual({ malformed: 'the Host header is not a host name with an optional port' });
    },
  );

  it('needs exactly one Host', () => {
    expect(addressOf(request({ Host: undefined }))).toEqual({ malformed: 'exactly one Host header is needed, not 0' });
    expect(addressOf(twice('hOST', 'a.example'))).toEqual({ malformed: 'exactly one Host header is needed, not 2' });
  });

  it.each(['1.0', '2.0', '0.9'])('needs HTTP/1.1, not %s', (httpVersion) => {
    expect(addressOf(request({}, { httpVersion }))).toHaveProperty('malformed');
  });

  it.each([
    ['/', '/', ''],
    ['/a%20b?x=%2f&y=/../', '/a%20b', '?x=%2f&y=/../'],
    ['/a?', '/a', '?'],
    ['/a?b?c', '/a', '?b?c'],
    ['/.well-known/...', '/.well-known/...', ''],
    ['/a.b/..c/d..', '/a.b/..c/d..', ''],
    ['/a/', '/a/', ''],
  ])('leaves the target %s as it is', (target, path, query) => {
    expect(addressOf(request({}, { target }))).toEqual({ host: 'a.example', path, query });
  });

  it.each(['', '*', 'a', '?a', 'http://a.example/', 'a.example:80', '/ä', '/a b', '/a#b', '/a?b#c', '/a?ä', '/a\u007f'])(
    'refuses the target %j',
    (target) => expect(addressOf(request({}, { target }))).toHaveProperty('malformed'),
  );

  it.each([
    ['//', 'an empty segment (//)'],
    ['/a//b', 'an empty segment (//)'],
    ['/a/b//', 'an empty segment (//)'],
    ['/a\\b', 'a backslash'],
    ['/a%2fb', 'an encoded slash'],
    ['/a%2Fb', 'an encoded slash'],
    ['/a%5Cb', 'an encoded slash'],
    ['/%2e/a', 'an encoded dot'],
    ['/a%2Ejs', 'an encoded dot'],
    ['/.', 'a dot segment'],
    ['/./a', 'a dot segment'],
    ['/a/..', 'a dot segment'],
    ['/a/../b', 'a dot segment'],
  ])('refuses the path %s, which two parsers may read in two ways', (target, odd) => {
    expect(oddPath(target)).toBe(odd);
    expect(addressOf(request({}, { target }))).toEqual({ malformed: `the path has ${odd}` });
  });
});

describe('an upgrade', () => {
  it.each([
    ['websocket', true],
    ['WebSocket', true],
    ['h2c, websocket', true],
    ['h2c', false],
    ['websockets', false],
    [undefined, false],
  ])('with Upgrade: %s wants a WebSocket: %s', (line, wants) => {
    expect(wantsWebSocket(request({ Upgrade: line }).rawHeaders)).toBe(wants);
  });

  it.each(['Upgrade', 'upgrade', 'keep-alive, Upgrade', 'Upgrade,close'])('is good with Connection: %s', (line) => {
    expect(upgradeProblem(request({ Connection: line }))).toBeUndefined();
  });

  it.each<[string, RawRequest]>([
    ['the method is POST, not GET', request({}, { method: 'POST' })],
    ['an upgrade has no Content-Length', request({ 'Content-Length': '0' })],
    ['an upgrade has no Transfer-Encoding', request({ 'Transfer-Encoding': 'chunked' })],
    ['the Connection header does not name Upgrade', request({ Connection: 'keep-alive' })],
    ['the Connection header does not name Upgrade', request({ Connection: undefined })],
    ['Sec-WebSocket-Key is not 16 bytes in base64, once', request({ 'Sec-WebSocket-Key': undefined })],
    ['Sec-WebSocket-Key is not 16 bytes in base64, once', request({ 'Sec-WebSocket-Key': 'dGhlIHNhbXBsZSBub25jZR==' })],
    ['Sec-WebSocket-Key is not 16 bytes in base64, once', request({ 'Sec-WebSocket-Key': 'dGhlIHNhbXBsZSBub25jZQ' })],
    ['Sec-WebSocket-Key is not 16 bytes in base64, once', twice('sec-websocket-key', 'dGhlIHNhbXBsZSBub25jZQ==')],
  ])('is refused: %s', (malformed, raw) => expect(upgradeProblem(raw)).toEqual({ malformed }));

  it.each([undefined, '8', '13, 8', '', '013'])('of version %s is refused with 426', (version) => {
    expect(upgradeProblem(request({ 'Sec-WebSocket-Version': version }))).toEqual({
      malformed: 'Sec-WebSocket-Version is not 13',
      status: 426,
    });
    expect(upgradeProblem(twice('Sec-WebSocket-Version', '13'))?.status).toBe(426);
  });
});
