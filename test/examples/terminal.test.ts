// The terminal example's server: a real shell on a real pty, without the platform.
import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { until } from '../support/ports.ts';
import { type Example, startExample } from './example.ts';

const absent = spawnSync('python3', ['-c', 'import websockets.asyncio.server']).status !== 0;
const why = absent ? ' (skipped: python3 has no websockets; pip install -r examples/terminal/requirements.txt)' : '';
const MIB = 1024 * 1024;

let example: Example;

/** A client that keeps the end of what it was sent. */
async function openShell() {
  const socket = new WebSocket(example.url);
  let text = '';
  let longest = 0;
  let total = 0;
  let allBinary = true;
  socket.on('message', (data: Buffer, isBinary) => {
    text = (text + data.toString('latin1')).slice(-64 * 1024);
    longest = Math.max(longest, data.length);
    total += data.length;
    allBinary &&= isBinary;
  });
  const closed = once(socket, 'close').then(([code, reason]) => ({ code: Number(code), reason: String(reason) }));
  await once(socket, 'open');
  const type = (keys: string) => socket.send(Buffer.from(keys));
  return {
    socket,
    closed,
    type,
    control: (message: unknown) => socket.send(JSON.stringify(message)),
    says: async (pattern: RegExp) => {
      await until(`the shell says ${pattern}`, () => pattern.test(text), 20_000);
      return pattern.exec(text)?.[1] ?? '';
    },
    seen: () => ({ longest, total, allBinary }),
    /** The shell's process id. */
    pid: async () => {
      type('echo "pid=$$;"\n');
      await until('the shell tells its process id', () => /pid=\d+;/.test(text));
      return Number(/pid=(\d+);/.exec(text)?.[1]);
    },
  };
}

const runs = (pid: number) => spawnSync('kill', ['-0', String(pid)]).status === 0;
const gone = (pid: number) => until(`process ${pid} is gone`, () => !runs(pid));
const serverBytes = (field: RegExp, file: string) => Number(field.exec(readFileSync(`/proc/${example.pid}/${file}`, 'utf8'))?.[1]);
const memory = () => serverBytes(/VmRSS:\s+(\d+)/, 'status') * 1024;

/** Waits until a figure has not changed for a while. */
async function settled(what: string, figure: () => number): Promise<void> {
  let last = figure();
  let since = Date.now();
  await until(`${what} stands still`, () => {
    const now = figure();
    if (now !== last) since = Date.now();
    last = now;
    return Date.now() - since > 400;
  });
}

it('needs no other packages than python-push, for which the tests make an environment', () => {
  const [own, others] = ['terminal', 'python-push'].map((name) => readFileSync(`examples/${name}/requirements.txt`, 'utf8'));
  expect(own).toBe(others);
});

describe.skipIf(absent)(`terminal${why}`, () => {
  beforeEach(async () => {
    example = await startExample('terminal', 'python3', ['server.py'], {
      TERMINAL_SHELL: '/bin/bash',
      HISTFILE: '/dev/null',
      LANG: 'C.UTF-8',
    });
  });
  afterEach(async () => {
    example.kill('SIGKILL');
    await example.exited;
  });

  it('gives a shell on a terminal of its own, in binary messages', async () => {
    const [one, other] = [await openShell(), await openShell()];
    for (const shell of [one, other]) shell.type('echo "tty=$(tty) $TERM; sum=$((40+2));"\n');
    await one.says(/sum=42;/);
    await other.says(/sum=42;/);
    expect(await one.says(/tty=(\S+) xterm-256color;/)).not.toBe(await other.says(/tty=(\S+) xterm-256color;/));
    expect(one.seen().allBinary).toBe(true);
    expect(await one.pid()).not.toBe(await other.pid());
  });

  it('passes bytes of UTF-8 and control keys', async () => {
    const { type, says } = await openShell();
    type("printf 'len=%s;' \"$(printf 'grüße' | wc -c)\"\n");
    await says(/len=7;/);
    type('sleep 1000\n');
    await says(/sleep 1000\r\n/);
    type('\x03');
    type('echo status=$?.\n');
    await says(/status=130\./);
  });

  it('is 80 by 24 until it is told another size', async () => {
    const { type, says, control } = await openShell();
    type('stty size\n');
    await says(/\b24 80\r/);
    control({ resize: { cols: 132, rows: 43 } });
    type('stty size\n');
    await says(/\b43 132\r/);
    control({ unknown: true });
    type('echo still-$((1+1))\n');
    await says(/still-2/);
  });

  it.each([
    '{',
    '5',
    '"resize"',
    '{"resize":{"cols":"80","rows":24}}',
    '{"resize":{"cols":80}}',
    '{"resize":{"cols":70000,"rows":1}}',
    '['.repeat(100_000),
  ])('refuses a control message that is none (%#)', async (message) => {
    const { socket, closed } = await openShell();
    socket.send(message);
    expect(await closed).toEqual({ code: 1008, reason: 'not a control message; bytes for the shell go in binary messages' });
  });

  it.each([
    ['exit', 1000, 'the shell exited'],
    ['exit 7', 4007, 'the shell exited with status 7'],
    ['exit 255', 4255, 'the shell exited with status 255'],
    ['kill -9 $$', 4137, 'the shell was killed by SIGKILL'],
    ['exec sleep 1000 <&- >&- 2>&-', 4129, 'the shell was killed by SIGHUP'], // it left the terminal: it is hung up
  ])('ends with what the shell ended with: %s', async (command, code, reason) => {
    const { type, closed } = await openShell();
    type(`${command}\n`);
    expect(await closed).toEqual({ code, reason });
  });

  it('sends all that the shell wrote before it exited', async () => {
    const { type, closed, seen, says } = await openShell();
    await says(/[#$] /);
    const before = seen().total;
    type('exec sh -c \'head -c 3000000 /dev/zero | tr "\\0" y; printf end-of-it\'\n');
    expect(await closed).toEqual({ code: 1000, reason: 'the shell exited' });
    await says(/yyyend-of-it$/);
    expect(seen().total - before).toBeGreaterThan(3_000_000);
    expect(seen().longest).toBeLessThanOrEqual(64 * 1024);
  });

  it('says why where there is no such shell', async () => {
    example.kill('SIGKILL');
    await example.exited;
    example = await startExample('terminal', 'python3', ['server.py'], { TERMINAL_SHELL: '/no/such/shell' });
    const { closed, says } = await openShell();
    await says(/No such file or directory: '\/no\/such\/shell'/);
    expect((await closed).code).toBe(4127);
  });

  it('holds a flood back for a reader that is slow, and lets it be interrupted', async () => {
    const { socket, type, says, control, seen } = await openShell();
    await says(/[#$] /);
    const before = memory();
    type('yes | tr -d "\\n"\n');
    await until('the flood is on', () => seen().total > MIB);
    socket.pause();
    await settled('what the server reads', () => serverBytes(/rchar: (\d+)/, 'io'));
    expect(memory() - before).toBeLessThan(32 * MIB);
    socket.resume();

    control({ pause: true });
    await settled('what the client gets', () => seen().total);
    control({ pause: false });
    const paused = seen().total;
    await until('the flood goes on', () => seen().total > paused + MIB);
    type('\x03');
    type('echo calm-$((1+1))\n');
    await says(/calm-2/);
  });

  it('takes a big paste whole, whatever the reader does', async () => {
    const { type, says, control } = await openShell();
    const lines = `${'0123456789abcdef'.repeat(4)}\n`;
    const paste = lines.repeat(64); // 4 KiB
    type('tee /dev/tty | wc -c\n');
    await says(/wc -c\r\n/);
    control({ pause: true });
    for (let i = 0; i < 640; i++) type(paste);
    control({ pause: false }); // it stands behind 2.6 MB that wait for tee, and tee waits until somebody reads
    type('\x04');
    expect(await says(/\n(\d+)\r\n[^\n]*[#$] $/)).toBe(String(640 * paste.length));
  });

  it('does not keep more of a paste than it should while nobody reads it, and ends nevertheless', async () => {
    const { socket, type, says, pid } = await openShell();
    const shell = await pid();
    const before = memory();
    type('sleep 1000\n');
    await says(/sleep 1000\r\n/);
    for (let i = 0; i < 320; i++) type('x\n'.repeat(32 * 1024));
    await settled('what the server reads', () => serverBytes(/rchar: (\d+)/, 'io'));
    expect(memory() - before).toBeLessThan(32 * MIB);
    socket.terminate();
    example.kill('SIGTERM');
    expect(await example.exited).toBe(0);
    await gone(shell);
  });

  it.each([
    ['closes', (socket: WebSocket) => socket.close(1000)],
    ['drops', (socket: WebSocket) => socket.terminate()],
  ])('leaves no shell and no job when the client %s', async (_how, leave) => {
    const { socket, type, says, pid } = await openShell();
    const shell = await pid();
    type('sh -c \'trap "" HUP; echo "job=$$;"; sleep 1000\'\n');
    const job = Number(await says(/job=(\d+);/));
    leave(socket);
    await gone(shell);
    await gone(job);
  });

  it('closes with 1001 on SIGTERM, ends the shells and exits with 0', async () => {
    const { closed, pid } = await openShell();
    const shell = await pid();
    example.kill('SIGTERM');
    expect(await closed).toEqual({ code: 1001, reason: '' });
    expect(await example.exited).toBe(0);
    await gone(shell);
  });

  it('takes the orphans of a shell, as process 1 has to', async () => {
    const { type, says } = await openShell();
    type('(sh -c \'echo "orphan=$$;"\' &)\n');
    await gone(Number(await says(/orphan=(\d+);/)));
  });
});
