// `socketpod dev --attach` is a transparent WebSocket proxy: each line of the list of what proxies get wrong is a test here, on bare
// sockets on both sides, with one function on every path.
import { describe, expect, it } from 'vitest';
import type { Attached } from '../support/attached.ts';
import { closeFrame, frame, randomBy } from '../support/frames.ts';
import { type RawPeer, SWITCHING, upgradeHead } from '../support/raw-client.ts';

/** The cases, for any way between client and proxy. */
export function isTransparent({ request, open, passes }: Attached): void {
  describe('the handshake', () => {
    it('passes sub-protocol and extension headers both ways untouched', async () => {
      const [client, fn] = await request(
        upgradeHead('/', [
          'Sec-WebSocket-Protocol: graphql-ws, chat',
          'Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits',
        ]),
      );
      const head = await fn.head();
      expect(head).toMatch(/sec-websocket-protocol: graphql-ws, chat\r\n/i);
      expect(head).toMatch(/sec-websocket-extensions: permessage-deflate; client_max_window_bits\r\n/i);
      fn.send(
        SWITCHING.replace(
          '\r\n\r\n',
          '\r\nSec-WebSocket-Protocol: chat\r\nSec-WebSocket-Extensions: permessage-deflate\r\nSet-Cookie: a=1\r\nSet-Cookie: b=2\r\n\r\n',
        ),
      );
      const answer = await client.head();
      expect(answer).toContain(
        'Sec-WebSocket-Protocol: chat\r\nSec-WebSocket-Extensions: permessage-deflate\r\nSet-Cookie: a=1\r\nSet-Cookie: b=2\r\n',
      );
    });

    it('passes several Sec-WebSocket-Protocol lines', async () => {
      const [, fn] = await request(upgradeHead('/', ['Sec-WebSocket-Protocol: a', 'Sec-WebSocket-Protocol: b']));
      expect(await fn.head()).toMatch(/sec-websocket-protocol: a\r\nsec-websocket-protocol: b\r\n/i);
    });

    it('takes Connection: keep-alive, Upgrade', async () => {
      const [client, fn] = await request(upgradeHead('/', ['Connection: keep-alive, Upgrade'], ['Connection']));
      await fn.head();
      fn.send(SWITCHING);
      expect(await client.head()).toContain(' 101 ');
    });

    it('passes frames in the same packet as the handshake, in both directions', async () => {
      const [up, down] = [frame({ opcode: 1, payload: 'up', mask: true }), frame({ opcode: 1, payload: 'down' })];
      const [client, fn] = await request(Buffer.concat([Buffer.from(upgradeHead()), up]));
      await fn.head();
      fn.send(Buffer.concat([Buffer.from(SWITCHING), down]));
      await client.head();
      expect(await client.take(down.length)).toEqual(down);
      expect(await fn.take(up.length)).toEqual(up);
    });

    it('reads a 101 that is split into single bytes', async () => {
      const [client, fn] = await request(upgradeHead());
      await fn.head();
      for (const byte of SWITCHING) fn.send(byte);
      expect(await client.head()).toContain(' 101 ');
      await passes(client, fn, frame({ opcode: 1, payload: 'x', mask: true }));
    });

    it('passes a huge header', async () => {
      const [, fn] = await request(upgradeHead('/', [`X-Huge: ${'h'.repeat(12_000)}`]));
      expect(await fn.head()).toContain('h'.repeat(12_000));
    });

    it.each([
      ['with a length', 'HTTP/1.1 401 No\r\nContent-Length: 4\r\n\r\nstop'],
      ['chunked', 'HTTP/1.1 401 No\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nst\r\n2\r\nop\r\n0\r\n\r\n'],
      ['until close', 'HTTP/1.1 401 No\r\n\r\nstop'],
    ])('passes a refusal with a body, %s', async (how, answer) => {
      const [client, fn] = await request(upgradeHead());
      await fn.head();
      fn.send(answer);
      if (how === 'until close') fn.socket.end();
      expect(await client.head()).toMatch(/^HTTP\/1.1 401 No\r\n/);
      await client.untilClosed();
      expect(client.received.toString()).toBe('stop');
    });

    it('ends the dial when the client leaves meanwhile', async () => {
      const [client, fn] = await request(upgradeHead());
      await fn.head();
      client.socket.resetAndDestroy();
      await fn.untilClosed();
    });
  });

  describe('frames', () => {
    it('pass with a header cut anywhere', async () => {
      const [client, fn] = await open();
      const bytes = frame({ opcode: 2, payload: Buffer.alloc(70_000, 1), mask: true });
      for (let cut = 1; cut < 15; cut++) {
        client.send(bytes.subarray(0, cut));
        await new Promise((resolve) => setImmediate(resolve));
        client.send(bytes.subarray(cut));
        expect((await fn.take(bytes.length)).equals(bytes)).toBe(true);
      }
    });

    it('pass with 64-bit lengths', async () => {
      const [client, fn] = await open();
      await passes(client, fn, frame({ opcode: 2, payload: Buffer.alloc(100), length: 100n, mask: true }));
    });

    it('do not pass with lengths over 2^53', async () => {
      const [client, fn] = await open();
      client.send(frame({ opcode: 2, length: 2n ** 53n, mask: true }));
      expect((await client.take(4)).readUInt16BE(2)).toBe(1002);
      expect(((await fn.take(2))[0] ?? 0) & 0x0f).toBe(8);
    });

    it('pass as control frames between fragments', async () => {
      const [client, fn] = await open();
      const parts = [
        frame({ opcode: 1, fin: false, payload: 'a' }),
        frame({ opcode: 9, payload: 'p' }),
        frame({ opcode: 0, payload: 'b' }),
      ];
      await passes(fn, client, Buffer.concat(parts));
    });

    it('pass as a flood of pings', async () => {
      const [client, fn] = await open();
      await passes(client, fn, Buffer.concat(Array.from({ length: 1000 }, () => frame({ opcode: 9, payload: 'ping', mask: true }))));
    });

    it('pass with RSV bits, bad UTF-8, unknown opcodes and wrong masks', async () => {
      const [client, fn] = await open();
      await passes(client, fn, frame({ opcode: 1, rsv: 4, payload: Buffer.from([0xff, 0xfe]), mask: true }));
      await passes(client, fn, frame({ opcode: 0xb, payload: 'x' }));
      await passes(fn, client, frame({ opcode: 3, payload: 'x', mask: true }));
    });

    it('of 64 KiB pass at a byte a packet', async () => {
      const [client, fn] = await open();
      const bytes = frame({ opcode: 2, payload: Buffer.alloc(65_536, 9), mask: true });
      for (let i = 0; i < bytes.length; i++) client.send(bytes.subarray(i, i + 1));
      expect((await fn.take(bytes.length)).equals(bytes)).toBe(true);
    });

    it('of 10 MiB pass in random pieces, both ways at once', async () => {
      const [client, fn] = await open();
      const random = randomBy(11);
      const send = async (peer: RawPeer, bytes: Buffer) => {
        for (let at = 0; at < bytes.length; ) {
          const end = at + Math.ceil(random() * 100_000);
          if (!peer.socket.write(bytes.subarray(at, end))) await new Promise((resolve) => peer.socket.once('drain', resolve));
          at = end;
        }
      };
      const [up, down] = [
        frame({ opcode: 2, payload: Buffer.alloc(10 * 2 ** 20, 3), mask: true }),
        frame({ opcode: 2, payload: Buffer.alloc(10 * 2 ** 20, 5) }),
      ];
      await Promise.all([send(client, up), send(fn, down)]);
      expect((await fn.take(up.length)).equals(up)).toBe(true);
      expect((await client.take(down.length)).equals(down)).toBe(true);
    });
  });

  describe('ends', () => {
    it.each([
      ['with code and reason', closeFrame(3001, 'why'), closeFrame(3001, 'why', true)],
      ['without a code', closeFrame(), closeFrame(undefined, '', true)],
      ['with an invalid one', closeFrame(5), closeFrame(5, '', true)],
    ])('close both ways, %s', async (_name, down, up) => {
      const [client, fn] = await open();
      await passes(fn, client, down);
      await passes(client, fn, up);
      await client.untilClosed();
    });

    it('pass a close frame but nothing after it', async () => {
      const [client, fn] = await open();
      fn.send(Buffer.concat([closeFrame(1000), frame({ opcode: 1, payload: 'late' })]));
      expect(await client.take(4)).toEqual(closeFrame(1000));
      client.send(closeFrame(1000, '', true));
      await client.untilClosed();
      expect(client.received).toHaveLength(0);
    });

    it.each(['client', 'function'])('pass a half-close of the %s as an end', async (who) => {
      const [client, fn] = await open();
      const [one, other] = who === 'client' ? [client, fn] : [fn, client];
      one.socket.end();
      expect((await other.take(4))[0]).toBe(0x88);
    });

    it.each(['before the answer', 'open', 'while closing'])('survive a reset of the client %s', async (when) => {
      const [client, fn] = await request(upgradeHead());
      await fn.head();
      if (when !== 'before the answer') {
        fn.send(SWITCHING);
        await client.head();
      }
      if (when === 'while closing') await passes(fn, client, closeFrame(1000));
      client.socket.resetAndDestroy();
      await fn.untilClosed();
      await open(); // and it serves on
    });
  });
}
