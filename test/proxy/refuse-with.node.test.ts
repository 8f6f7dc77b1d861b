// What a script in a real browser learns of a refusal: nothing by HTTP, all by a close frame.
import { afterAll, beforeAll, expect, it } from 'vitest';
import { attachRuntime } from '../../src/runtime/attach.ts';
import { inChromium } from '../support/chromium.ts';
import { served, startProxy, type TestProxy } from '../support/proxy.ts';

let proxy: TestProxy;

beforeAll(async () => {
  const off = (name: string, refuseWith: 'HTTPStatus' | 'CloseFrame') => served(name, { maxConnections: 0, refuseWith });
  proxy = await startProxy(attachRuntime('127.0.0.1', 1), [off('http', 'HTTPStatus'), off('frame', 'CloseFrame')]);
});

afterAll(() => proxy.stop());

function seen(name: string): Promise<string> {
  return inChromium(`
    const socket = new WebSocket('ws://127.0.0.1:${proxy.port}/test/${name}', ['one', 'two']);
    let opened = false;
    socket.onopen = () => { opened = true; };
    socket.onclose = ({ code, reason, wasClean }) => done(JSON.stringify({ opened, code, reason, wasClean }));`);
}

it('is not told by an HTTP status', async () => {
  expect(JSON.parse(await seen('http'))).toEqual({ opened: false, code: 1006, reason: '', wasClean: false });
});

it('is told by a close frame: code, reason and the id to ask for', async () => {
  expect(JSON.parse(await seen('frame'))).toEqual({
    opened: true,
    code: 1013,
    reason: expect.stringMatching(/^432 max connections; id [0-9a-f-]{36}$/),
    wasClean: true,
  });
});
