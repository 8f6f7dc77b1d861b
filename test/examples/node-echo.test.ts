import { once } from 'node:events';
import { hostname } from 'node:os';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { type Example, openClient, startExample } from './example.ts';

let example: Example;

beforeEach(async () => {
  example = await startExample('node-echo', process.execPath, ['server.js']);
});
afterEach(async () => {
  example.kill('SIGKILL');
  await example.exited;
});

it('echoes text as text and binary as binary', async () => {
  const { socket, next } = await openClient(example.url);
  socket.send('hello');
  expect(await next()).toEqual({ data: Buffer.from('hello'), isBinary: false });
  socket.send(Buffer.from([0, 255]));
  expect(await next()).toEqual({ data: Buffer.from([0, 255]), isBinary: true });
});

it('takes the first sub-protocol and compression, and tells how long it took to listen', async () => {
  const { socket, listenMs } = await openClient(example.url, ['second', 'first']);
  expect(socket.protocol).toBe('second');
  expect(socket.extensions).toContain('permessage-deflate');
  expect(listenMs).toBeGreaterThan(0);
});

it('answers pid and hostname', async () => {
  const { socket, text } = await openClient(example.url);
  socket.send('pid');
  expect(await text()).toBe(String(example.pid));
  socket.send('hostname');
  expect(await text()).toBe(hostname());
});

it('closes with the code that it is asked for, and echoes one that cannot be sent', async () => {
  const { socket, closed, text } = await openClient(example.url);
  socket.send('close 1006');
  expect(await text()).toBe('close 1006');
  socket.send('close 4001');
  expect(await closed).toBe(4001);
});

it('exits with the code that it is asked for', async () => {
  const { socket, closed } = await openClient(example.url);
  socket.send('exit 7');
  expect(await example.exited).toBe(7);
  expect(await closed).toBe(1006);
});

it('refuses a path that ends in /refuse with 403 and a body', async () => {
  const socket = new WebSocket(`${example.url}some/refuse?a=b`);
  const [, response] = await once(socket, 'unexpected-response');
  expect(response.statusCode).toBe(403);
  expect((await response.toArray()).join('')).toBe('This path is always refused.\n');
});

it('closes its sockets with 1001 on SIGTERM and exits with 0', async () => {
  const { closed } = await openClient(example.url);
  example.kill('SIGTERM');
  expect(await closed).toBe(1001);
  expect(await example.exited).toBe(0);
});
