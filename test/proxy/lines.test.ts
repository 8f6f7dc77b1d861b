// Header lines pass byte for byte, both ways, but for those of one hop and those that are ours.
import { describe, expect, it } from 'vitest';
import { SWITCHING, upgradeHead } from '../support/raw-client.ts';
import { rawScene } from '../support/scene.ts';

const scene = rawScene();

/** Lines that a careless proxy decodes, trims, joins, sorts or loses. Values are bytes, one a character. */
const LINES: readonly [string, string][] = [
  ['X-Utf8', Buffer.from('höher ✓').toString('latin1')],
  ['X-Latin', 'h\xf6her \xff\x80'],
  ['X-Empty', ''],
  ['X-Commas', ',, a ,b,'],
  ['X-Quoted', '"a\\"b; c=d", e'],
  ['X-Tab', 'a\tb'],
  ['X-Colon', 'a: b'],
  ["X!#$%&'*+-.^`|~", 'odd name'],
  ['Cookie', 'a=1; a=2; b="x"'],
  ['Set-Cookie', 'a=1; Expires=Tue, 24 Nov 2026 14:13:32 GMT'],
  ['Sec-WebSocket-Extensions', 'permessage-deflate; client_max_window_bits=15, x-mine; a="b"'],
  ['Origin', 'https://a.example'],
  ['User-Agent', 'x/1 (y; z)'],
  ['Authorization', 'Bearer abc.def'],
  ['Content-Type', 'text/plain'],
  ['Age', '1'],
];

it.each(LINES)('the line %s of the client reaches the function as it is', async (name, value) => {
  scene.client.send(upgradeHead('/test/echo', [`${name}: ${value}`]));
  const lines = (await (await scene.backend.next()).head()).split('\r\n');
  expect(lines).toContain(`${name.toLowerCase()}: ${value}`);
});

it.each(LINES)('the line %s of the function reaches the client as it is, with a 101', async (name, value) => {
  scene.client.send(upgradeHead());
  const fn = await scene.backend.next();
  await fn.head();
  fn.send(SWITCHING.replace('\r\n\r\n', `\r\n${name}: ${value}\r\n${name}: again\r\n\r\n`));
  const lines = (await scene.client.head()).split('\r\n');
  expect(lines[0]).toBe('HTTP/1.1 101 Switching Protocols');
  const at = lines.indexOf(`${name}: ${value}`);
  expect(at).toBeGreaterThan(0);
  expect(lines[at + 1]).toBe(`${name}: again`);
});

it.each(LINES)('the line %s of the function reaches the client as it is, with a refusal', async (name, value) => {
  scene.client.send(upgradeHead());
  const fn = await scene.backend.next();
  await fn.head();
  fn.send(`HTTP/1.1 403 ${name === 'X-Latin' ? 'n\xf6' : 'no'}\r\n${name}: ${value}\r\n${name}: again\r\nContent-Length: 0\r\n\r\n`);
  const lines = (await scene.client.head()).split('\r\n');
  expect(lines[0]).toBe(`HTTP/1.1 403 ${name === 'X-Latin' ? 'n\xf6' : 'no'}`);
  expect(lines).toEqual(expect.arrayContaining([`${name}: ${value}`, `${name}: again`]));
});

describe('an answer 426 of the function', () => {
  it('keeps its Upgrade line, which it cannot do without', async () => {
    scene.client.send(upgradeHead());
    const fn = await scene.backend.next();
    await fn.head();
    fn.send(
      'HTTP/1.1 426 Upgrade Required\r\nConnection: Upgrade\r\nUpgrade: x-mine\r\nSec-WebSocket-Version: 14\r\nContent-Length: 0\r\n\r\n',
    );
    const head = await scene.client.head();
    expect(head).toMatch(/^HTTP\/1\.1 426 Upgrade Required\r\n/);
    expect(head).toMatch(/Sec-WebSocket-Version: 14\r\nUpgrade: x-mine\r\n/);
    scene.client.socket.end();
    expect((await scene.proxy.ended(1))[0]).toMatchObject({ reason: 'function_refused', httpStatus: 426 });
  });
});
