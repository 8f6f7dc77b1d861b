// The admin port of a real `socketpod dev`: what operators and Prometheus ask, and what their answers do to connections.
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { WebSocket } from 'ws';
import type { ConnectionView } from '../src/proxy/record.ts';
import { type Dev, startDev } from './support/dev.ts';
import { samples } from './support/metrics.ts';
import { openSocket } from './support/node.ts';
import { listenAnywhere, until } from './support/ports.ts';

const MAIN = join(import.meta.dirname, '..', 'src', 'main.ts');
const FUNCTION = `${process.execPath} ${join(import.meta.dirname, 'ends', 'function.mjs')}`;
const COMMANDS = {
  plain: `exec ${FUNCTION}`,
  'never-listens': 'exec sleep 1000',
  // The shell and what it starts next ignore SIGTERM.
  stubborn: `trap '' TERM; ${FUNCTION}; sleep 1000`,
};

let folder: string;
let dev: Dev;
let admin: string;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'socketpod-'));
  for (const [name, command] of Object.entries(COMMANDS)) writeFileSync(join(folder, `${name}.json`), functionFile(name, command));
  dev = await startDev(['-f', folder, '--admin', '127.0.0.1:0']);
  admin = await adminOf(dev);
});

afterAll(async () => {
  expect(await dev?.stop()).toBe(0);
  rmSync(folder, { recursive: true, force: true });
});

function functionFile(name: string, command: string): string {
  return JSON.stringify({
    apiVersion: 'socketpod.dev/v1alpha1',
    kind: 'WebSocketFunction',
    metadata: { name, annotations: { 'socketpod.dev/dev-command': command } },
    spec: { template: { spec: { containers: [{ name: 'f', image: 'x' }] } } },
  });
}

async function adminOf(one: Dev): Promise<string> {
  return `http://${(await one.event('listening')).admin}`;
}

const urlOf = (name: string, one = dev) => `ws://127.0.0.1:${one.port}/default/${name}`;

/** An open connection and its id. */
async function open(name: string, one = dev): Promise<{ socket: WebSocket; id: string; closed: Promise<string> }> {
  const opened = await openSocket(urlOf(name, one));
  if (!('socket' in opened)) throw new Error(opened.body);
  const closed = once(opened.socket, 'close').then(([code, words]) => `${code} ${words}`);
  return { socket: opened.socket, id: String(opened.headers['x-request-id']), closed };
}

async function connections(): Promise<ConnectionView[]> {
  const answer = await fetch(`${admin}/connections`);
  expect(answer.headers.get('content-type')).toBe('application/json');
  return ((await answer.json()) as { connections: ConnectionView[] }).connections;
}

/** The connection of this id, once it is listed as fits. */
async function listed(fits: (view: ConnectionView) => boolean): Promise<ConnectionView> {
  let found: ConnectionView | undefined;
  await until('the connection is listed', async () => {
    found = (await connections()).find(fits);
    return found !== undefined;
  });
  return found as ConnectionView;
}

describe('/metrics', () => {
  it('has a counter for each end', async () => {
    const { socket, id } = await open('plain');
    socket.close(1000);
    await dev.event('end', (end) => end.id === id);
    const answer = await fetch(`${admin}/metrics`);
    expect([answer.status, answer.headers.get('content-type')]).toEqual([200, 'text/plain; version=0.0.4; charset=utf-8']);
    const labels = 'function="plain",function_namespace="default",code="200",reason="normal_closure"';
    expect(samples(await answer.text()).get(`socketpod_connections_total{${labels}}`)).toBe(1);
  });
});

describe('/healthz and /readyz', () => {
  it('are fine while it serves; while it stops it lives, and is not ready', async () => {
    const stopping = await startDev(['-f', join(folder, 'stubborn.json'), '--admin', '127.0.0.1:0']);
    const port = await adminOf(stopping);
    const ask = async (path: string) => {
      const answer = await fetch(`${port}${path}`);
      return [answer.status, await answer.text()];
    };
    expect([await ask('/healthz'), await ask('/readyz')]).toEqual([
      [200, 'ok\n'],
      [200, 'ok\n'],
    ]);
    const { id, closed } = await open('stubborn', stopping);
    stopping.child.kill('SIGTERM');
    expect(await closed).toBe('1012 500 drained');
    expect([await ask('/healthz'), await ask('/readyz')]).toEqual([
      [200, 'ok\n'],
      [503, 'draining\n'],
    ]);
    const { backend } = await stopping.event('open', (one) => one.id === id);
    process.kill(-Number(String(backend).replace('pid ', '')), 'SIGKILL');
    expect(await stopping.stop()).toBe(0);
  });
});

describe('/connections', () => {
  it('shows an open connection', async () => {
    const { socket, id } = await open('plain');
    socket.send('send 300');
    await once(socket, 'message');
    expect(await listed((view) => view.id === id)).toEqual({
      id,
      function: 'default/plain',
      access: '',
      functionUid: expect.stringMatching(/./),
      clientAddress: '127.0.0.1',
      traceparent: '',
      backend: expect.stringMatching(/^pid [0-9]+$/),
      node: '',
      start: 'cold',
      stages: { admit: expect.any(Number), create: expect.any(Number), port: expect.any(Number), handshake: expect.any(Number) },
      handshakeMs: expect.any(Number),
      openMs: expect.any(Number),
      messagesUp: 1,
      messagesDown: 1,
      bytesUp: 8,
      bytesDown: 300,
      state: 'Open',
      throttled: false,
    });
    socket.close(1000);
    await until('it is listed no more', async () => (await connections()).every((view) => view.id !== id));
  });

  it('shows a pending one, and DELETE refuses it', async () => {
    const refused = openSocket(urlOf('never-listens'));
    const { id, state, openMs } = await listed((view) => view.function === 'default/never-listens');
    expect([state, openMs]).toEqual(['Provisioning', 0]);
    expect((await fetch(`${admin}/connections/${id}`, { method: 'DELETE' })).status).toBe(204);
    expect(await refused).toMatchObject({ status: 503, code: 438, headers: { 'retry-after': '5', 'x-request-id': id } });
    expect(await dev.event('end', (end) => end.id === id)).toMatchObject({ code: 438, reason: 'closed_by_operator', httpStatus: 503 });
  });

  it('DELETE closes an open one: both sides are told, and it is recorded', async () => {
    const { id, closed } = await open('plain');
    const answer = await fetch(`${admin}/connections/${id}`, { method: 'DELETE' });
    expect([answer.status, await answer.text()]).toEqual([204, '']);
    expect(await closed).toBe('1001 438 closed by operator');
    await dev.event('output', (one) => one.id === id && one.line === 'closed 1001 438 closed by operator');
    expect(await dev.event('end', (end) => end.id === id)).toMatchObject({ code: 438, reason: 'closed_by_operator', status: 'failure' });
    expect((await fetch(`${admin}/connections/${id}`, { method: 'DELETE' })).status).toBe(404);
  });

  it('DELETE is told by `socketpod connect` in its own words', async () => {
    const trace = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';
    const args = [MAIN, 'connect', '-H', `traceparent: ${trace}`, urlOf('plain')];
    const client = spawn(process.execPath, args, { stdio: ['pipe', 'ignore', 'pipe'] });
    const told = text(client.stderr);
    const ended = once(client, 'exit');
    const { id } = await listed(({ state, traceparent }) => state === 'Open' && traceparent === trace);
    await fetch(`${admin}/connections/${id}`, { method: 'DELETE' });
    expect(await ended).toEqual([1, null]);
    expect(await told).toMatch(
      /^open in \d+ ms, .*\nclosed: 1001, 438 closed by operator\nfunction code 438: an operator closed it at the admin port\n$/,
    );
  });
});

describe('anything else', () => {
  it.each([
    ['GET', '/connections/x', 405, 'DELETE'],
    ['POST', '/metrics', 405, 'GET, HEAD'],
    ['DELETE', '/connections', 405, 'GET, HEAD'],
    ['DELETE', '/connections/x', 404, null],
    ['DELETE', '/connections/', 404, null],
    ['GET', '/', 404, null],
    ['GET', '/metrics/', 404, null],
    ['GET', '/healthz?verbose', 200, null],
    ['HEAD', '/readyz', 200, null],
  ])('%s %s is %d', async (method, path, status, allow) => {
    const answer = await fetch(`${admin}${path}`, { method });
    expect([answer.status, answer.headers.get('allow')]).toEqual([status, allow]);
  });
});

it('a port in use is one line that names --admin', async () => {
  const server = createServer();
  const port = await listenAnywhere(server);
  const args = ['dev', '-f', folder, '--listen', '127.0.0.1:0', '--admin', `127.0.0.1:${port}`];
  const { status, stderr } = spawnSync(process.execPath, [MAIN, ...args], { encoding: 'utf8', timeout: 20_000 });
  server.close();
  expect(stderr).toBe(`socketpod: 127.0.0.1:${port} is in use by another program; choose another address with --admin\n`);
  expect(status).toBe(1);
});
