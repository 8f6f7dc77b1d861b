// The process runtime through the front door: one process a connection, ended with its whole group, and the cause of its end.
import { readFileSync } from 'node:fs';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { processRuntime } from '../../src/runtime/processes.ts';
import { until } from '../support/ports.ts';
import { served, startProxy, type TestProxy } from '../support/proxy.ts';

const SERVER = `
  import { WebSocketServer } from 'ws';
  import { spawn } from 'node:child_process';
  const child = process.env.WITH_CHILD ? spawn('sleep', ['1000']).pid : 0;
  new WebSocketServer({ port: process.env.PORT }).on('connection', (s) => s.on('message', (m) => {
    const [word, n] = String(m).split(' ');
    if (word === 'exit') process.exit(Number(n));
    if (word === 'kill') process.kill(process.pid, 'SIGKILL');
    if (word === 'drop') s.terminate();
    else s.send(JSON.stringify({ pid: process.pid, child, port: process.env.PORT, fn: process.env.SOCKETPOD_FUNCTION }));
  }));
  process.on('SIGTERM', () => process.exit(0));`;
const NODE = `exec ${process.execPath} --input-type=module -e '${SERVER.replaceAll("'", `'\\''`)}'`;

let proxy: TestProxy;

async function start(devCommand: string | undefined, part = {}): Promise<void> {
  const runtime = processRuntime(() => {});
  proxy = await startProxy(runtime, [served('echo', part, { folder: process.cwd(), ...(devCommand === undefined ? {} : { devCommand }) })]);
}

async function open(): Promise<WebSocket> {
  const client = new WebSocket(proxy.url);
  await new Promise((resolve, reject) => client.once('open', resolve).once('error', reject));
  return client;
}

async function ask(client: WebSocket): Promise<{ pid: number; child: number; port: string; fn: string }> {
  const answer = new Promise<string>((resolve) => client.once('message', (m) => resolve(String(m))));
  client.send('who');
  return JSON.parse(await answer);
}

/** A process that is there and no zombie. */
function lives(pid: number): boolean {
  try {
    return !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'));
  } catch {
    return false;
  }
}

afterEach(() => proxy.stop());

describe('the process runtime', () => {
  it('gives each connection a process of its own, with its own port, and ends it with its group', async () => {
    await start(`WITH_CHILD=1 ${NODE}`);
    const clients = await Promise.all([open(), open(), open()]);
    const answers = await Promise.all(clients.map(ask));
    expect(new Set(answers.map(({ pid }) => pid)).size).toBe(3);
    expect(new Set(answers.map(({ port }) => port)).size).toBe(3);
    expect(answers[0]?.fn).toBe('echo');
    for (const client of clients) client.close(1000);
    const records = await proxy.ended(3);
    expect(records.map(({ reason }) => reason)).toEqual(Array(3).fill('normal_closure'));
    await until('no process of any group is left', () => answers.every(({ pid, child }) => !lives(pid) && !lives(child)));
  });
});

describe('a drop of the function', () => {
  beforeEach(() => start(NODE));
  it.each([
    ['exit 7', 'function_exited'],
    ['kill', 'function_exited'],
    ['exit 0', 'function_dropped'],
    ['drop', 'function_dropped'],
  ])('by %s is recorded as %s', async (words, reason) => {
    const client = await open();
    const { pid } = await ask(client);
    const closed = new Promise((resolve) => client.once('close', (code, text) => resolve([code, String(text)])));
    client.send(words);
    expect(await closed).toEqual([1011, '439 function exited']);
    expect((await proxy.ended(1))[0]?.reason).toBe(reason);
    await until('the process is gone', () => !lives(pid));
  });

  it('together with the deletion of the function is recorded as that', async () => {
    const client = await open();
    await ask(client);
    const closed = new Promise((resolve) => client.once('close', resolve));
    client.send('drop');
    await closed;
    proxy.services.functions.delete('test/echo');
    expect((await proxy.ended(1))[0]?.reason).toBe('function_deleted');
  });
});

describe('a process that does not come to listen', () => {
  it.each<[string, string | undefined, string, number]>([
    ['because it exits', 'exit 3', 'container_exited', 405],
    ['because there is no such program', 'exec /no/such/program', 'container_exited', 405],
    ['because no command is given', undefined, 'container_start_failed', 445],
    ['within the init timeout', 'exec sleep 1000', 'port_timeout', 446],
  ])('%s is refused', async (_name, command, reason, code) => {
    await start(command, { initTimeoutSeconds: 1 });
    const client = new WebSocket(proxy.url);
    client.on('error', () => {});
    const answer = await new Promise<string | undefined>((resolve) =>
      client.once('unexpected-response', (request, response) => {
        resolve(String(response.headers['x-socketpod-status']));
        request.destroy();
      }),
    );
    expect(answer).toBe(String(code));
    expect((await proxy.ended(1))[0]?.reason).toBe(reason);
  });

  it('whose client leaves is ended', async () => {
    await start('exec sleep 1000');
    const client = new WebSocket(proxy.url);
    client.on('error', () => {});
    await until('the connection is pending', () => proxy.services.registry.size === 1);
    client.terminate();
    expect((await proxy.ended(1))[0]?.reason).toBe('client_left');
  });
});
