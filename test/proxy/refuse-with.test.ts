// `refuseWith: CloseFrame`: a browser cannot read an HTTP refusal, so it is let in and at once told why not (contract part 3).
import { once } from 'node:events';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { OUTCOMES, type Reason, refusalClose } from '../../src/core/outcome.ts';
import { attachRuntime } from '../../src/runtime/attach.ts';
import { closeFrame } from '../support/frames.ts';
import { readClose } from '../support/metered.ts';
import { served, startProxy, type TestProxy } from '../support/proxy.ts';
import { rawConnect, upgradeHead } from '../support/raw-client.ts';

let proxy: TestProxy;

beforeEach(async () => {
  proxy = await startProxy(attachRuntime('127.0.0.1', 1), [
    served('off', { maxConnections: 0, refuseWith: 'CloseFrame' }),
    served('plain', { maxConnections: 0 }),
    served('gone', { refuseWith: 'CloseFrame', initTimeoutSeconds: 1 }),
  ]);
});

afterEach(() => proxy.stop());

/** Sends an upgrade request and gives the head of the answer. */
async function ask(path: string, lines: readonly string[] = ['Origin: https://app.example']) {
  const client = await rawConnect(proxy.port);
  client.send(upgradeHead(path, lines));
  return { client, head: await client.head() };
}

describe('a browser', () => {
  it('is let in, told why not, and closed once it has answered', async () => {
    const { client, head } = await ask('/test/off', [
      'Origin: https://app.example',
      'Sec-WebSocket-Protocol: chat.v2, chat.v1',
      'Sec-WebSocket-Extensions: permessage-deflate',
    ]);
    expect(head).toMatch(/^HTTP\/1\.1 101 /);
    expect(head).toContain('Sec-WebSocket-Protocol: chat.v2\r\n');
    expect(head).not.toMatch(/extensions/i);
    const id = /X-Request-Id: (\S+)/.exec(head)?.[1];
    expect(await readClose(client)).toBe(`1013 432 max connections; id ${id}`);
    expect(client.ended, 'the answer to our close frame comes first (RFC 6455, section 7.1.1)').toBe(false);
    client.send(closeFrame(1013, '', true));
    await client.untilClosed();
    client.socket.destroy();
    expect(await proxy.ended(1)).toMatchObject([{ reason: 'max_connections', httpStatus: 101, openMs: 0, handshakeMs: undefined }]);
    expect(proxy.violations).toEqual([{ function: 'test/off', limit: 'max_connections', code: 432, action: 'refuse' }]);
  });

  it('that does not answer is given up after 3 s', async () => {
    const { client } = await ask('/test/off');
    await readClose(client);
    await client.untilClosed();
    expect(client.error).toBe('');
    client.socket.destroy();
    await proxy.ended(1);
  });

  it('sees a proper end, with code and text', async () => {
    const socket = new WebSocket(`ws://127.0.0.1:${proxy.port}/test/off`, ['one', 'two'], { origin: 'https://app.example' });
    const closed = once(socket, 'close');
    await once(socket, 'open');
    expect(socket.protocol).toBe('one');
    const [code, text] = await closed;
    expect([code, String(text)]).toEqual([1013, expect.stringMatching(/^432 max connections; id [0-9a-f-]{36}$/)]);
  });

  it('is told of a start that failed, too', async () => {
    const { client } = await ask('/test/gone');
    expect(await readClose(client)).toMatch(/^1011 446 port timeout; id /);
    client.socket.destroy();
    expect((await proxy.ended(1))[0]).toMatchObject({ reason: 'port_timeout', httpStatus: 101 });
  });
});

describe('HTTP it is', () => {
  it.each<[string, string, string[] | undefined, number]>([
    ['where the function does not say otherwise', '/test/plain', undefined, 429],
    ['for a client without an Origin, which is no browser', '/test/off', [], 429],
    ['where there is no function', '/test/nobody', undefined, 404],
    ['for a malformed handshake', '/test/off', ['Origin: https://a.example', 'Content-Length: 0'], 400],
  ])('%s', async (_name, path, lines, status) => {
    const { client, head } = await ask(path, lines);
    expect(head).toMatch(new RegExp(`^HTTP/1\\.1 ${status} `));
    client.socket.destroy();
    expect((await proxy.ended(1))[0]?.httpStatus).toBe(status);
  });
});

it('has a close code for each refusal, and a reason of at most 123 bytes', () => {
  const never = ['route_not_found', 'not_websocket', 'bad_handshake', 'function_refused', 'function_refused_5xx'];
  const codes = new Map<number, Set<number>>();
  for (const [reason, { code }] of Object.entries(OUTCOMES)) {
    const close = refusalClose(reason as Reason, '01234567-89ab-cdef-0123-456789abcdef');
    expect(close === undefined, reason).toBe(never.includes(reason));
    if (!close) continue;
    expect(close.text.length).toBeLessThanOrEqual(123);
    codes.set(close.code, (codes.get(close.code) ?? new Set()).add(code));
  }
  expect([...(codes.get(1013) ?? [])].sort()).toEqual([429, 432, 449, 500]);
  expect([...(codes.get(1008) ?? [])].sort()).toEqual([401, 441]);
});
