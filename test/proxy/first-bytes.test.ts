// The moment of the 101: what comes with it, right after it, or instead of what should come after it.
import { describe, expect, it } from 'vitest';
import { closeFrame, frame } from '../support/frames.ts';
import { until } from '../support/ports.ts';
import { type RawPeer, rawConnect, SWITCHING, upgradeHead } from '../support/raw-client.ts';
import { rawScene } from '../support/scene.ts';

const scene = rawScene();
let fn: RawPeer;

async function ask(early: Uint8Array = new Uint8Array()): Promise<void> {
  scene.client.send(Buffer.concat([Buffer.from(upgradeHead()), early]));
  fn = await scene.backend.next();
  await fn.head();
}

const DROPPED = Buffer.concat([Buffer.from([0x88, 21, 0x03, 0xf3]), Buffer.from('439 function exited')]);
const TEXT = frame({ opcode: 1, payload: 'first and last words' });

describe('a function that says all it has to say with its 101', () => {
  it.each([
    ['FIN', Buffer.concat([TEXT, DROPPED]), 'function_dropped', TEXT],
    [
      'a close frame and FIN',
      Buffer.concat([TEXT, closeFrame(4000, 'x')]),
      'function_close_code',
      Buffer.concat([TEXT, closeFrame(4000, 'x')]),
    ],
    ['half a header and FIN', Buffer.concat([TEXT, DROPPED]), 'function_dropped', Buffer.concat([TEXT, Buffer.from([0x82])])],
    [
      'broken framing',
      Buffer.concat([TEXT, Buffer.from([0x88, 29, 0x03, 0xea]), Buffer.from('439 function protocol error')]),
      'function_protocol_error',
      Buffer.concat([TEXT, frame({ opcode: 0, payload: 'x' })]),
    ],
  ])('and then %s is heard by the client in that order', async (_how, seen, reason, said) => {
    await ask();
    fn.socket.end(Buffer.concat([Buffer.from(SWITCHING), said]));
    expect(await scene.client.head()).toContain(' 101 ');
    expect(await scene.client.take(seen.length)).toEqual(seen);
    scene.client.send(closeFrame(1000, '', true));
    scene.client.socket.end();
    expect((await scene.proxy.ended(1))[0]).toMatchObject({ reason, httpStatus: 101, messagesDown: 1 });
  });

  it('with more than any buffer holds is heard to the end', async () => {
    await ask();
    const bytes = Buffer.concat([frame({ opcode: 2, payload: Buffer.alloc(5 * 2 ** 20, 7) }), closeFrame(1000)]);
    fn.socket.end(Buffer.concat([Buffer.from(SWITCHING), bytes]));
    expect(await scene.client.head()).toContain(' 101 ');
    expect((await scene.client.take(bytes.length)).equals(bytes)).toBe(true);
    scene.client.send(closeFrame(1000, '', true));
    scene.client.socket.end();
    expect((await scene.proxy.ended(1))[0]).toMatchObject({ reason: 'normal_closure', functionCloseCode: 1000, clientCloseCode: 1000 });
  });

  it('and resets is a drop after an open connection, or no answer at all', async () => {
    await ask();
    fn.socket.write(SWITCHING);
    fn.socket.resetAndDestroy();
    expect(await scene.client.head()).toMatch(/^HTTP\/1.1 (101|502) /);
    scene.client.socket.end();
    expect((await scene.proxy.ended(1))[0]?.reason).toMatch(/^(function_dropped|handshake_failed)$/);
  });
});

describe('a client that says all it has to say before the 101', () => {
  it.each([
    ['a close frame', closeFrame(1000, 'never mind', true), 'normal_closure'],
    [
      'a message and a close frame',
      Buffer.concat([frame({ opcode: 1, payload: 'x', mask: true }), closeFrame(1001, '', true)]),
      'client_going_away',
    ],
  ])('%s is heard by the function', async (_what, early, reason) => {
    await ask(early);
    fn.send(SWITCHING);
    expect(await fn.take(early.length)).toEqual(early);
    expect(await scene.client.head()).toContain(' 101 ');
    fn.send(closeFrame(1000));
    expect(await scene.client.take(4)).toEqual(closeFrame(1000));
    scene.client.socket.end();
    fn.socket.end();
    expect((await scene.proxy.ended(1))[0]?.reason).toBe(reason);
  });

  it('that breaks the framing is told so after its 101', async () => {
    await ask(frame({ opcode: 0, payload: 'x', mask: true }));
    fn.send(SWITCHING);
    expect(await scene.client.head()).toContain(' 101 ');
    expect((await scene.client.take(4)).readUInt16BE(2)).toBe(1002);
    expect((await fn.take(2))[0]).toBe(0x88);
    scene.client.socket.end();
    fn.socket.end();
    expect((await scene.proxy.ended(1))[0]?.reason).toBe('client_protocol_error');
  });

  it('exactly 64 KiB is let in, and one byte more is not', async () => {
    const all = frame({ opcode: 2, payload: Buffer.alloc(65_536 - 14 + 6, 1), mask: true }).subarray(0, 65_536);
    await ask();
    scene.client.send(all);
    await until('all of it has gone out', () => scene.client.socket.writableLength === 0);
    fn.send(SWITCHING);
    expect(await scene.client.head()).toContain(' 101 ');
    expect((await fn.take(65_536)).equals(all)).toBe(true);
    scene.client.socket.destroy();
    await scene.proxy.ended(1);
    const second = await rawConnect(scene.proxy.port);
    second.send(upgradeHead());
    await (await scene.backend.next()).head();
    second.send(Buffer.alloc(65_537));
    expect(await second.head()).toMatch(/^HTTP\/1.1 400 /);
    second.socket.end();
    expect((await scene.proxy.ended(2))[1]?.reason).toBe('bad_handshake');
  });
});

describe('what is no HTTP/1.1', () => {
  it.each(['', '\r\n', 'GET /test/echo HTTP/1.1\r\nHost'])(
    'as %j and then nothing more is no connection and keeps no socket',
    async (bytes) => {
      scene.client.send(bytes);
      scene.client.socket.end();
      await scene.client.untilClosed();
      expect(scene.backend.peers).toHaveLength(0);
    },
  );
});
