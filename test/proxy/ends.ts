// How an open connection ends (contract part 2): through the front door, on bare sockets on both sides.
import { beforeEach, describe, expect, it } from 'vitest';
import { closeFrame, frame } from '../support/frames.ts';
import type { RawPeer } from '../support/raw-client.ts';
import type { Scene } from '../support/scene.ts';

const MASKED = true;

/** The cases, for any way between client and proxy. */
export function endsAsPromised(scene: Scene): void {
  let fn: RawPeer;

  beforeEach(async () => {
    fn = await scene.open();
  });

  /** The close frame that a side got, unmasked. */
  async function closeOf(peer: RawPeer): Promise<{ code: number; text: string }> {
    const [first, second] = await peer.take(2);
    expect(first).toBe(0x88);
    const masked = ((second ?? 0) & 0x80) !== 0;
    const length = (second ?? 0) & 0x7f;
    const key = masked ? await peer.take(4) : Buffer.alloc(4);
    const payload = (await peer.take(length)).map((byte, i) => byte ^ (key[i & 3] ?? 0));
    const bytes = Buffer.from(payload);
    expect(masked, 'frames are masked towards the function and only there').toBe(peer === fn);
    return { code: length >= 2 ? bytes.readUInt16BE(0) : 1005, text: bytes.subarray(2).toString() };
  }

  async function reason(): Promise<string> {
    const [record] = await scene.proxy.ended(1);
    expect(scene.proxy.records).toHaveLength(1);
    return record?.reason ?? '';
  }

  describe('a close frame of the client', () => {
    it.each([
      ['1000', closeFrame(1000, 'bye', MASKED), 'normal_closure'],
      ['1010', closeFrame(1010, '', MASKED), 'client_mandatory_extension'],
      ['1001', closeFrame(1001, '', MASKED), 'client_going_away'],
      ['4000', closeFrame(4000, '', MASKED), 'client_close_code'],
      ['1011', closeFrame(1011, '', MASKED), 'client_close_code'],
      ['999, which is illegal', closeFrame(999, '', MASKED), 'client_close_code'],
      ['1006, which is illegal on the wire', closeFrame(1006, '', MASKED), 'client_close_code'],
      ['one byte, which is illegal', frame({ opcode: 8, payload: Buffer.from([3]), mask: true }), 'client_close_code'],
      ['no code', closeFrame(undefined, '', MASKED), 'client_no_status'],
    ])('with %s passes unchanged and is answered by the function', async (_name, bytes, expected) => {
      scene.client.send(bytes);
      expect(await fn.take(bytes.length)).toEqual(bytes);
      const answer = closeFrame(1000, 'seen');
      fn.send(answer);
      expect(await scene.client.take(answer.length)).toEqual(answer);
      fn.socket.end();
      scene.client.socket.end();
      await scene.client.untilClosed();
      expect(await reason()).toBe(expected);
    });

    it('is answered with the same code by the platform when the function does not within 3 s', async () => {
      scene.client.send(closeFrame(1000, '', MASKED));
      expect(await closeOf(scene.client)).toEqual({ code: 1000, text: '' });
      scene.client.socket.end();
      await fn.untilClosed();
      expect(await reason()).toBe('normal_closure');
    });

    it('is answered by the platform at once when the function drops', async () => {
      scene.client.send(closeFrame(4001, '', MASKED));
      await fn.take(8);
      fn.socket.destroy();
      expect((await closeOf(scene.client)).code).toBe(4001);
      scene.client.socket.end();
      expect(await reason()).toBe('client_close_code');
    });

    it('followed by its FIN still gets the answer of the function', async () => {
      scene.client.send(closeFrame(1000, '', MASKED));
      scene.client.socket.end();
      await fn.take(8);
      fn.send(closeFrame(1000));
      expect((await closeOf(scene.client)).code).toBe(1000);
      await scene.client.untilClosed();
      expect(await reason()).toBe('normal_closure');
    });

    it('lets the function finish what it was sending', async () => {
      scene.client.send(closeFrame(1000, '', MASKED));
      await fn.take(8);
      const last = frame({ opcode: 1, payload: 'last words' });
      fn.send(Buffer.concat([last, closeFrame(1000)]));
      expect(await scene.client.take(last.length)).toEqual(last);
      expect((await closeOf(scene.client)).code).toBe(1000);
      scene.client.socket.end();
      fn.socket.end();
      expect(await reason()).toBe('normal_closure');
    });

    it('is the last of the client that passes', async () => {
      const close = closeFrame(1000, '', MASKED);
      scene.client.send(Buffer.concat([close, frame({ opcode: 1, payload: 'too late', mask: true })]));
      expect(await fn.take(close.length)).toEqual(close);
      fn.send(closeFrame(1000));
      scene.client.socket.end();
      await fn.untilClosed().catch(() => {});
      expect(fn.received).toHaveLength(0);
      fn.socket.end();
      expect(await reason()).toBe('normal_closure');
    });
  });

  describe('a close frame of the function', () => {
    it.each([
      ['1000', closeFrame(1000, 'done'), 'normal_closure'],
      ['1011', closeFrame(1011), 'function_internal_error'],
      ['1001', closeFrame(1001), 'function_close_code'],
      ['1010', closeFrame(1010), 'function_close_code'],
      ['4001', closeFrame(4001, 'x'), 'function_close_code'],
      ['999, which is illegal', closeFrame(999), 'function_close_code'],
      ['no code', closeFrame(undefined), 'function_no_status'],
    ])('with %s passes unchanged', async (_name, bytes, expected) => {
      fn.send(bytes);
      expect(await scene.client.take(bytes.length)).toEqual(bytes);
      scene.client.send(closeFrame(1000, '', MASKED));
      expect((await closeOf(fn)).code).toBe(1000);
      fn.socket.end();
      scene.client.socket.end();
      expect(await reason()).toBe(expected);
    });

    it('ends after 3 s when the client does not answer', async () => {
      fn.send(closeFrame(1000));
      await scene.client.untilClosed();
      expect(await reason()).toBe('normal_closure');
    });
  });

  describe('a drop', () => {
    it.each(['FIN', 'RST'])('of the client by %s tells the function 1001', async (how) => {
      if (how === 'FIN') scene.client.socket.end();
      else scene.client.socket.resetAndDestroy();
      expect(await closeOf(fn)).toEqual({ code: 1001, text: '456 client dropped' });
      fn.socket.end();
      expect(await reason()).toBe('client_dropped');
    });

    it.each(['FIN', 'RST'])('of the function by %s tells the client 1011 at once', async (how) => {
      if (how === 'FIN') fn.socket.end();
      else fn.socket.resetAndDestroy();
      expect(await closeOf(scene.client)).toEqual({ code: 1011, text: '439 function exited' });
      scene.client.send(closeFrame(1011, '', MASKED));
      scene.client.socket.end();
      expect(await reason()).toBe('function_dropped');
    });

    it('in the middle of a frame destroys the other socket: no frame of ours fits there', async () => {
      fn.send(frame({ opcode: 2, payload: Buffer.alloc(100) }).subarray(0, 50));
      await scene.client.take(50);
      fn.socket.destroy();
      await scene.client.untilClosed();
      expect(scene.client.received).toHaveLength(0);
      expect(await reason()).toBe('function_dropped');
    });

    it('after a cut header is no middle: the header was held back', async () => {
      fn.send(frame({ opcode: 2, payload: Buffer.alloc(100) }).subarray(0, 1));
      fn.socket.end();
      expect((await closeOf(scene.client)).code).toBe(1011);
      scene.client.socket.end();
      expect(await reason()).toBe('function_dropped');
    });
  });
}
