// `socketpod dev` as a user runs it: files in, addresses out; edits hold for new connections, and bad input is one line.
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { type Dev, startDev } from '../support/dev.ts';
import { listenAnywhere } from '../support/ports.ts';

const MAIN = join(import.meta.dirname, '..', '..', 'src', 'main.ts');
let folder: string;
let dev: Dev | undefined;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'socketpod-'));
});

afterEach(async () => {
  await dev?.stop();
  dev = undefined;
  rmSync(folder, { recursive: true });
});

/** A function in Node that answers each message with this word. */
function functionFile(name: string, word: string, more = ''): string {
  const ws = join(import.meta.dirname, '..', '..', 'node_modules', 'ws', 'wrapper.mjs');
  const script = `import { WebSocketServer } from "${ws}"; new WebSocketServer({ port: process.env.PORT }).on("connection", (s) => s.on("message", () => s.send("${word}")));`;
  return JSON.stringify({
    apiVersion: 'socketpod.dev/v1alpha1',
    kind: 'WebSocketFunction',
    metadata: { name },
    spec: {
      template: { spec: { containers: [{ name: 'f', command: [process.execPath, '--input-type=module', '-e', script] }] } },
      ...JSON.parse(more || '{}'),
    },
  });
}

function write(file: string, text: string): void {
  writeFileSync(join(folder, file), text);
}

async function open(path: string): Promise<WebSocket> {
  const socket = new WebSocket(`ws://127.0.0.1:${dev?.port}${path}`);
  await new Promise((resolve, reject) => socket.once('open', resolve).once('error', reject));
  return socket;
}

async function ask(socket: WebSocket): Promise<string> {
  const answer = new Promise<string>((resolve) => socket.once('message', (text) => resolve(String(text))));
  socket.send('?');
  return answer;
}

describe('dev', () => {
  it('serves every function of a folder under its own address', async () => {
    write('a.yaml', `${functionFile('one', 'first')}\n---\n${functionFile('two', 'second')}`);
    write('other.yaml', 'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: x}\n');
    dev = await startDev(['-f', folder, '--public-url', 'https://functions.example.com']);
    expect((await dev.event('function', ({ function: key }) => key === 'default/two')).urls).toEqual([
      'wss://functions.example.com/default/two',
    ]);
    expect(await ask(await open('/default/one'))).toBe('first');
    expect(await ask(await open('/default/two'))).toBe('second');
  });

  it('takes a folder of folders, as examples/ is, and their changes', async () => {
    for (const name of ['one', 'two', 'node_modules', '.hidden']) mkdirSync(join(folder, name));
    for (const name of ['one', 'two']) write(`${name}/function.yaml`, functionFile(name, name));
    for (const name of ['node_modules', '.hidden']) write(`${name}/package.json`, '{');
    dev = await startDev(['-f', folder]);
    expect(await ask(await open('/default/one'))).toBe('one');
    expect(await ask(await open('/default/two'))).toBe('two');
    write('two/function.yaml', functionFile('two', 'changed'));
    await dev.event('function', ({ changed }) => changed === true);
    expect(await ask(await open('/default/two'))).toBe('changed');
  });

  it('takes a changed file for new connections, and leaves the open ones alone', async () => {
    write('f.json', functionFile('f', 'old'));
    dev = await startDev(['-f', folder]);
    const before = await open('/default/f');
    write('f.json', functionFile('f', 'new'));
    await dev.event('function', ({ changed }) => changed === true);
    expect(await ask(await open('/default/f'))).toBe('new');
    expect(await ask(before)).toBe('old');
  });

  it('keeps what a file said before it became bad, and says what is wrong', async () => {
    write('f.json', functionFile('f', 'good'));
    dev = await startDev(['-f', folder]);
    write('f.json', functionFile('f', 'bad', '{"idleTimeoutSeconds": 1}'));
    expect((await dev.event('problem')).problem).toContain('spec.idleTimeoutSeconds: 1 is out of range; use 10 to 7200');
    expect(await ask(await open('/default/f'))).toBe('good');
    write('f.json', '{');
    await dev.event('problem', ({ problem }) => String(problem).includes('not YAML'));
    expect(await ask(await open('/default/f'))).toBe('good');
  });

  it('ends the connections of a function whose file is gone', async () => {
    write('f.json', functionFile('f', 'x'));
    write('g.json', functionFile('g', 'y'));
    dev = await startDev(['-f', folder]);
    const socket = await open('/default/f');
    const closed = new Promise((resolve) => socket.once('close', (code, text) => resolve([code, String(text)])));
    rmSync(join(folder, 'f.json'));
    expect(await closed).toEqual([1001, '438 function deleted']);
    await expect(open('/default/f')).rejects.toThrow('404');
  });

  it('shows the last words of a function that fails, and keeps them from its client', async () => {
    write('f.json', functionFile('f', 'x').replace('s.send(\\"x\\")', '{ console.error(\\"no such\\\\n  thing\\"); process.exit(7); }'));
    dev = await startDev(['-f', folder]);
    const socket = await open('/default/f');
    const closed = new Promise((resolve) => socket.once('close', (code, text) => resolve([code, String(text)])));
    socket.on('message', (message) => expect.unreachable(String(message)));
    socket.send('?');
    expect(await dev.event('end')).toMatchObject({
      code: 439,
      reason: 'function_exited',
      detail: 'exit code 7',
      lastWords: 'no such\n  thing',
      functionUid: expect.stringMatching(/./),
    });
    expect(await closed).toEqual([1011, '439 function exited']);
  });

  it('refuses connections of a function over the ceilings', async () => {
    write('f.json', functionFile('f', 'x', '{"maxConnections": 7}'));
    const ceilings = join(folder, '..', 'ceilings.yaml');
    writeFileSync(ceilings, 'namespaces: {default: {maxConnections: 6}}\n');
    dev = await startDev(['-f', folder, '--ceilings', ceilings]);
    await expect(open('/default/f')).rejects.toThrow('503');
    rmSync(ceilings);
  });

  it('closes open connections with 1012 when it is stopped', async () => {
    write('f.json', functionFile('f', 'x'));
    dev = await startDev(['-f', folder]);
    const socket = await open('/default/f');
    const closed = new Promise((resolve) => socket.once('close', (code, text) => resolve([code, String(text)])));
    expect(await dev.stop()).toBe(0);
    expect(await closed).toEqual([1012, '500 drained']);
  });
});

describe('bad input is one line and exit code 1', () => {
  it.each<[string, () => Promise<string[]> | string[], RegExp]>([
    [
      'an unknown field',
      () => ['dev', '-f', join(folder, 'bad.json')],
      /spec\.idleTimeout: unknown field; did you mean idleTimeoutSeconds\?/,
    ],
    ['a file that is not there', () => ['dev', '-f', join(folder, 'none.yaml')], /none\.yaml: no such file or folder/],
    ['a folder without functions', () => ['dev', '-f', tmpdir()], /no WebSocketFunction in|name a file/],
    ['an unknown option', () => ['dev', '--lisen', ':1'], /unknown option '--lisen'\s+\(Did you mean --listen\?\)/],
    ['an address that is none', () => ['dev', '--listen', '8080'], /"8080" is not HOST:PORT/],
    ['a bad ceilings file', () => ['dev', '--ceilings', join(folder, 'ceilings.yaml')], /ceilings\.yaml: default\.maxWarm: unknown field/],
    ['a missing kubeconfig', () => ['proxy'], /no cluster: there is no kubeconfig/],
    [
      'a kubeconfig that is not there',
      () => ['proxy', '--kubeconfig', '/none'],
      /the kubeconfig cannot be read: .*; name one with --kubeconfig/,
    ],
    ['a public URL with a path', () => ['proxy', '--public-url', 'https://x/y'], /is not a base URL/],
    ['an unknown command', () => ['server'], /unknown command 'server'/],
  ])('%s', async (_name, args, words) => {
    write('bad.json', functionFile('f', 'x', '{"idleTimeout": 5}'));
    write('ceilings.yaml', 'default: {maxWarm: 5}\n');
    const env = { ...process.env, HOME: folder, KUBECONFIG: '', KUBERNETES_SERVICE_HOST: '' };
    const { status, stderr } = spawnSync(process.execPath, [MAIN, ...(await args())], { encoding: 'utf8', env });
    expect(stderr).toMatch(words);
    expect(stderr).not.toMatch(/\n {4}at /); // no stack trace
    expect(status).toBe(1);
  });

  it('a port in use', async () => {
    const server = createServer();
    const port = await listenAnywhere(server);
    write('f.json', functionFile('f', 'x'));
    const { status, stderr } = spawnSync(process.execPath, [MAIN, 'dev', '-f', folder, '--listen', `127.0.0.1:${port}`], {
      encoding: 'utf8',
    });
    expect(stderr).toBe(`socketpod: 127.0.0.1:${port} is in use by another program; choose another address with --listen\n`);
    expect(status).toBe(1);
    server.close();
  });
});
