// An edit of a function holds for connections that are accepted from then on, and for no other.
import { once } from 'node:events';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { WebSocket } from 'ws';
import {
  applyAll,
  ask,
  functionObject,
  installCrd,
  makeNamespace,
  mustOpen,
  type NodeProxy,
  type PodWatch,
  startNodeProxy,
  watchPods,
} from '../support/node.ts';
import { until } from '../support/ports.ts';

const NAMESPACE = 'edits';
const KEY = `${NAMESPACE}/f`;
let proxy: NodeProxy;
let pods: PodWatch;

beforeAll(async () => {
  await installCrd();
  await makeNamespace(NAMESPACE);
  pods = await watchPods(NAMESPACE);
  proxy = await startNodeProxy();
}, 60_000);

afterAll(async () => {
  await pods?.none();
  await pods?.stop();
  expect(await proxy?.stop()).toBe(0);
}, 60_000);

/** Makes or changes the function, and waits until the proxy serves it so. */
async function apply(spec: object): Promise<void> {
  const served = () => proxy.lines.filter((line) => line.message === 'function' && line.function === KEY).length;
  const before = served();
  applyAll(NAMESPACE, [functionObject('f', {}, { onRateExceeded: 'Close', ...spec })]);
  await until('the edit is seen', () => served() > before);
}

async function open(): Promise<{ socket: WebSocket; closed: Promise<string> }> {
  const { socket } = await mustOpen(`ws://127.0.0.1:${proxy.port}/${KEY}`);
  return { socket, closed: once(socket, 'close').then(([code, text]) => `${code} ${text}`) };
}

/** Sends as many messages at once, and waits for the answers. */
async function burst(socket: WebSocket, count: number): Promise<void> {
  let answers = 0;
  socket.on('message', () => void answers++);
  for (let i = 0; i < count; i++) socket.send('hello');
  await until('all are answered', () => answers === count);
}

it('holds for new connections only', async () => {
  await apply({ maxMessagesPerSecond: 100, idleTimeoutSeconds: 60 });
  const before = await open();
  await apply({ maxMessagesPerSecond: 2, idleTimeoutSeconds: 10 });
  await burst(before.socket, 20);

  const [fast, idle] = [await open(), await open()];
  for (let i = 0; i < 3; i++) fast.socket.send('hello');
  expect(await fast.closed).toBe('1008 429 rate exceeded');
  // The first connection had its last message before this one opened.
  expect(await idle.closed).toBe('1001 455 idle timeout');
  expect(await ask(before.socket, 'still here')).toBe('still here');
  before.socket.close(1000);
  expect(await before.closed).toBe('1000 ');
});
