// The main job on a real node: the two examples, many clients at once, a pod each, and nothing left.
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { inChromium } from '../support/chromium.ts';
import {
  ask,
  installCrd,
  kubectl,
  mustOpen,
  type NodeProxy,
  openSocket,
  type PodWatch,
  startNodeProxy,
  watchPods,
} from '../support/node.ts';
import { until } from '../support/ports.ts';

let proxy: NodeProxy;
let pods: PodWatch;
const url = (name: string, path = '') => `ws://127.0.0.1:${proxy.port}/default/${name}${path}`;

beforeAll(async () => {
  await installCrd();
  kubectl(['apply', '-f', 'examples/node-echo/function.yaml', '-f', 'examples/python-push/function.yaml']);
  pods = await watchPods('default');
  proxy = await startNodeProxy();
  await Promise.all([proxy.serves('default/node-echo'), proxy.serves('default/python-push')]);
}, 60_000);

afterAll(async () => {
  expect(await proxy?.stop()).toBe(0);
  await pods?.none();
  await pods?.stop();
});

describe('20 clients at once', () => {
  it('get 20 pods, each answers from its own, and all pods go when they close', async () => {
    const opened = await Promise.all(Array.from({ length: 20 }, () => mustOpen(url('node-echo'))));
    const names = await Promise.all(opened.map(({ socket }) => ask(socket, 'hostname')));
    expect(new Set(names).size).toBe(20);
    expect(new Set(names)).toEqual(new Set([...pods.pods.values()].map(({ metadata }) => metadata?.name)));
    expect(await Promise.all(opened.map(({ socket }, i) => ask(socket, `echo ${i}`)))).toEqual(opened.map((_one, i) => `echo ${i}`));

    const closedAt = new Map<string, number>();
    for (const { socket, headers } of opened) {
      socket.on('close', () => closedAt.set(String(headers['x-request-id']), performance.now()));
      socket.close(1000);
    }
    const begun = performance.now();
    await pods.none();
    const gone = performance.now() - begun;
    const delays = [...closedAt].map(([id, at]) => (pods.deletedAt.get(id) ?? Number.NaN) - at).sort((a, b) => a - b);
    console.log(
      `20 closes: DELETE seen after p50 ${delays[10]?.toFixed(0)} ms, max ${delays.at(-1)?.toFixed(0)} ms; all pods gone after ${gone.toFixed(0)} ms`,
    );
    expect(delays.at(-1)).toBeLessThan(2000); // ten times the promise: a hang, not a delay
    for (let i = 1; i <= 20; i++) expect((await proxy.end('default/node-echo', i)).reason).toBe('normal_closure');
  }, 120_000);
});

describe('one client', () => {
  it('that leaves while its pod starts leaves no pod', async () => {
    const socket = new WebSocket(url('node-echo'));
    socket.on('error', () => {});
    await until('its pod is there', () => pods.pods.size === 1);
    socket.terminate();
    await pods.none();
  });

  it('gets the pushes of the Python example', async () => {
    const { socket } = await mustOpen(url('python-push'));
    expect(await ask(socket, 'hello')).toBe('hello');
    const push = await new Promise((resolve) => socket.once('message', (text) => resolve(String(text))));
    expect(push).toMatch(/push|10|second/i);
    socket.close(1000);
    await pods.none();
  });

  it('gets sub-protocol and compression of the function, and sends it cookies', async () => {
    const { socket } = await mustOpen(url('node-echo'), ['chat', 'other'], { headers: { Cookie: 'k=v' }, perMessageDeflate: true });
    expect(socket.protocol).toBe('chat');
    expect(socket.extensions).toContain('permessage-deflate');
    expect(await ask(socket, 'x'.repeat(5000))).toBe('x'.repeat(5000));
    socket.close(1000);
    await pods.none();
  });

  it("gets the function's own refusal with its body", async () => {
    const refused = await openSocket(url('node-echo', '/refuse'));
    expect(refused).toMatchObject({ status: 403, code: 200, body: expect.stringMatching(/./) });
    await pods.none();
  });
});

const PYTHON = `
import asyncio, sys
from websockets.asyncio.client import connect
async def main():
    async with connect(sys.argv[1], open_timeout=60) as socket:
        await socket.send("from python")
        print(await socket.recv())
asyncio.run(main())
`;

describe.each(['node-echo', 'python-push'])('%s', (name) => {
  it("talks to Python's websockets", async () => {
    const { stdout } = await promisify(execFile)('python3', ['-c', PYTHON, url(name)]);
    expect(stdout.trim()).toBe('from python');
    await pods.none();
  });

  it("talks to Chromium's WebSocket", async () => {
    const said = await inChromium(`
      const socket = new WebSocket('${url(name)}');
      socket.onopen = () => socket.send('from chromium');
      let text = '';
      socket.onmessage = (message) => { text = message.data; socket.close(1000); };
      socket.onclose = ({ code }) => done('closed ' + code + ' after ' + text);`);
    expect(said).toBe('closed 1000 after from chromium');
    await pods.none();
  }, 90_000);
});
