import { spawnSync } from 'node:child_process';
import { hostname } from 'node:os';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type Example, openClient, startExample } from './example.ts';

const absent = spawnSync('python3', ['-c', 'import websockets.asyncio.server']).status !== 0;
const why = absent ? ' (skipped: python3 has no websockets; pip install -r examples/python-push/requirements.txt)' : '';

describe.skipIf(absent)(`python-push${why}`, () => {
  let example: Example;

  beforeEach(async () => {
    example = await startExample('python-push', 'python3', ['server.py'], { PUSH_SECONDS: '0.05' });
  });
  afterEach(async () => {
    example.kill('SIGKILL');
    await example.exited;
  });

  it('pushes texts unasked', async () => {
    const { text, listenMs } = await openClient(example.url);
    expect(await text()).toMatch(/^push 1 at \d\d:\d\d:\d\d$/);
    expect(await text()).toMatch(/^push 2 at /);
    expect(listenMs).toBeGreaterThan(0);
  });

  it('echoes between its pushes, and answers hostname', async () => {
    const { socket, next } = await openClient(example.url);
    const answer = async (question: string | Buffer) => {
      socket.send(question);
      for (;;) {
        const message = await next();
        if (!message.data.toString().startsWith('push ')) return message;
      }
    };
    expect(await answer('hello')).toEqual({ data: Buffer.from('hello'), isBinary: false });
    expect(await answer(Buffer.from([0, 255]))).toEqual({ data: Buffer.from([0, 255]), isBinary: true });
    expect((await answer('hostname')).data.toString()).toBe(hostname());
  });

  it('closes its sockets with 1001 on SIGTERM and exits with 0', async () => {
    const { closed } = await openClient(example.url);
    example.kill('SIGTERM');
    expect(await closed).toBe(1001);
    expect(await example.exited).toBe(0);
  });
});
