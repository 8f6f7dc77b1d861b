// Requests and answers that are legal and rare, which a parser in the middle likes to change.
import { describe, expect, it } from 'vitest';
import { closeFrame, frame } from '../support/frames.ts';
import { SWITCHING, upgradeHead } from '../support/raw-client.ts';
import { rawScene } from '../support/scene.ts';

const scene = rawScene();

describe('a request', () => {
  it('with Expect keeps its path', async () => {
    scene.client.send(upgradeHead('/test/echo/deep?x', ['Expect: 100-continue']));
    expect(await (await scene.backend.next()).head()).toMatch(/^GET \/test\/echo\/deep\?x HTTP\/1.1\r\n/);
  });

  it('with headers called like parts of an object keeps them', async () => {
    scene.client.send(upgradeHead('/test/echo', ['constructor: a', '__proto__: b', 'hasOwnProperty: c']));
    const lines = (await (await scene.backend.next()).head()).split('\r\n');
    expect(lines).toEqual(expect.arrayContaining(['constructor: a', '__proto__: b', 'hasownproperty: c']));
  });

  it('with bytes over 0x7f in a header keeps them', async () => {
    scene.client.send(upgradeHead('/test/echo', ['X-Name: \xe4\xff']));
    expect(await (await scene.backend.next()).head()).toContain('x-name: \xe4\xff\r\n');
  });

  it('with more than a thousand headers keeps them all', async () => {
    scene.client.send(
      upgradeHead(
        '/test/echo',
        [...Array(1500).keys()].map((n) => `h${n}:`),
      ),
    );
    expect(await (await scene.backend.next()).head()).toMatch(/h0: ?\r\n[\s\S]*\r\nh1499: ?\r\n/);
  });

  it.each(['Connection: keep-alive,\tUpgrade', 'Connection: keep-alive , upgrade ,x', 'Connection: ,Upgrade'])(
    'with %j is an upgrade or refused, but never half of each',
    async (line): Promise<void> => {
      scene.client.send(upgradeHead('/test/echo', [line], ['Connection']));
      const first = await Promise.race([
        scene.backend.next(),
        scene.proxy.ended(1).then(() => undefined),
        scene.client.head().then(() => undefined),
      ]);
      if (!first) return;
      await first.head();
      first.send(SWITCHING);
      expect(await scene.client.head()).toContain(' 101 ');
      const text = frame({ opcode: 1, payload: 'not HTTP', mask: true });
      scene.client.send(text);
      expect(await first.take(text.length)).toEqual(text);
    },
  );
});

describe('an answer', () => {
  it.each(['HTTP/1.1 100 Continue\r\n\r\n', 'HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n'])('may come after %j', async (hint) => {
    scene.client.send(upgradeHead());
    const fn = await scene.backend.next();
    await fn.head();
    fn.send(hint + SWITCHING);
    expect(await scene.client.head()).toMatch(/^HTTP\/1.1 101 /);
    const text = frame({ opcode: 1, payload: 'x' });
    fn.send(text);
    expect(await scene.client.take(text.length)).toEqual(text);
  });

  it.each([204, 304])('%d has no body and no length of one', async (status) => {
    scene.client.send(upgradeHead());
    const fn = await scene.backend.next();
    await fn.head();
    fn.send(`HTTP/1.1 ${status} Fine\r\n\r\n`);
    const head = await scene.client.head();
    expect(head).toMatch(new RegExp(`^HTTP/1.1 ${status} Fine\r\n`));
    expect(head).not.toMatch(/content-length/i);
    scene.client.socket.end();
    expect((await scene.proxy.ended(1))[0]).toMatchObject({ reason: 'function_refused', httpStatus: status });
  });

  it('that says what only the platform says does not get it through', async () => {
    scene.client.send(upgradeHead());
    const fn = await scene.backend.next();
    await fn.head();
    fn.send(SWITCHING.replace('\r\n\r\n', '\r\nX-Request-Id: mine\r\nX-Socketpod-Status: 200\r\nX-Own: 1\r\n\r\n'));
    const head = await scene.client.head();
    expect(head).toMatch(/X-Own: 1\r\nX-Request-Id: [0-9a-f-]{36}\r\n\r\n$/);
    expect(head).not.toMatch(/mine|X-Socketpod-Status/);
  });
});

describe('a reader that does not read', () => {
  const FLOOD = frame({ opcode: 2, payload: Buffer.alloc(32 * 2 ** 20) });

  it('and drops after its close frame does not keep the function from its answer', async () => {
    const fn = await scene.open();
    scene.client.socket.pause();
    fn.socket.write(Buffer.concat([FLOOD, closeFrame(1000)]));
    scene.client.send(closeFrame(1000, '', true));
    await fn.take(8);
    const begun = performance.now();
    scene.client.socket.resetAndDestroy();
    fn.socket.end();
    const [record] = await scene.proxy.ended(1);
    expect(record).toMatchObject({ reason: 'normal_closure', functionCloseCode: 1000 });
    expect(performance.now() - begun, 'without waiting for the 3 s').toBeLessThan(2500);
  });

  it('is given up 3 s after the close, in the middle of a frame', async () => {
    const fn = await scene.open();
    scene.client.socket.pause();
    fn.socket.write(FLOOD);
    // No event tells that the proxy takes no more: 200 ms without a byte do.
    await new Promise((resolve) => fn.socket.once('drain', resolve).setTimeout(200, () => resolve(undefined)));
    scene.proxy.services.functions.delete('test/echo');
    expect((await fn.take(2))[0]).toBe(0x88);
    fn.socket.destroy();
    expect((await scene.proxy.ended(1))[0]?.reason).toBe('function_deleted');
  });

  it('that is the function, which goes on sending, still gets our close and no reset', async () => {
    const fn = await scene.open();
    const sending = setInterval(() => !fn.ended && fn.send(frame({ opcode: 2, payload: Buffer.alloc(65_536) })), 1); // a flood
    scene.client.socket.destroy();
    expect((await fn.take(2))[0]).toBe(0x88);
    clearInterval(sending);
    fn.socket.end();
    await fn.untilClosed();
    expect(fn.error).toBe('');
    expect((await scene.proxy.ended(1))[0]?.reason).toBe('client_dropped');
  });
});
