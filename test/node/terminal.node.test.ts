// The terminal example in real pods, in a namespace that enforces the restricted Pod Security Standard: a shell for each client.
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { WebSocket } from 'ws';
import { parse } from 'yaml';
import { Browser } from '../support/browser.ts';
import {
  applyAll,
  installCrd,
  kubectl,
  makeNamespace,
  mustOpen,
  type NodeProxy,
  type PodWatch,
  startNodeProxy,
  watchPods,
} from '../support/node.ts';
import { until } from '../support/ports.ts';

const NAMESPACE = 'terminals';
const EXAMPLE = join(import.meta.dirname, '..', '..', 'examples', 'terminal');
/** Where a picture goes, if anybody wants it: that of the example's README is made so. */
const PICTURES = process.env.SOCKETPOD_PICTURES;

let proxy: NodeProxy;
let pods: PodWatch;
const url = () => `ws://127.0.0.1:${proxy.port}/${NAMESPACE}/terminal`;

beforeAll(async () => {
  await installCrd();
  await makeNamespace(NAMESPACE);
  kubectl(['label', 'namespace', NAMESPACE, 'pod-security.kubernetes.io/enforce=restricted']);
  const object = parse(readFileSync(join(EXAMPLE, 'function.yaml'), 'utf8'));
  applyAll(NAMESPACE, [{ ...object, spec: { ...object.spec, warmPods: 0 } }]);
  pods = await watchPods(NAMESPACE);
  proxy = await startNodeProxy();
  await proxy.serves(`${NAMESPACE}/terminal`);
}, 60_000);

afterAll(async () => {
  expect(await proxy?.stop()).toBe(0);
  await pods?.none();
  await pods?.stop();
});

/** A shell in a pod. */
async function openShell() {
  const { socket } = await mustOpen(url(), [], { headers: { Authorization: 'Bearer try-the-terminal' } });
  let text = '';
  socket.on('message', (data) => {
    text += String(data);
  });
  return {
    socket,
    /** Runs a command and gives its output. */
    async run(command: string): Promise<string> {
      const from = text.length;
      socket.send(Buffer.from(`printf '\\n{%s}\\n' "$(${command} 2>&1)"\n`));
      const output = () => /\n\{([^{}]*)\}\r\n/.exec(text.slice(from))?.[1];
      await until(`${command} has run`, () => output() !== undefined, 20_000);
      return output()?.replaceAll('\r', '') ?? '';
    },
  };
}

const ended = (socket: WebSocket) => new Promise((resolve) => socket.once('close', (code, reason) => resolve([code, String(reason)])));

describe('two clients', () => {
  it('have a shell in a pod of their own, as an ordinary user with a home of their own', async () => {
    const shells = await Promise.all([openShell(), openShell()]);
    const [one, other] = shells;
    const names = await Promise.all(shells.map(({ run }) => run('hostname')));
    expect(names.sort()).toEqual(['terminal-slot-0', 'terminal-slot-1']);
    expect(new Set(pods.pods.keys()).size).toBe(2);

    expect(await one.run('id')).toMatch(/^uid=1000\b/);
    expect(await one.run('echo $TERM $0 $HOME $PWD')).toBe('xterm-256color bash /home/user /home/user');
    expect(await one.run('echo mine > file; cat ~/file')).toBe('mine');
    expect(await other.run('cat ~/file')).toMatch(/No such file/);
    expect(await one.run('touch /tmp/x && echo good')).toBe('good');
    expect(await one.run('touch /app/x')).toMatch(/Read-only file system/);
    expect(await one.run('ls /var/run/secrets')).toMatch(/No such file/);
    expect(await one.run('stty size')).toBe('24 80');
    one.socket.send(JSON.stringify({ resize: { cols: 100, rows: 40 } }));
    expect(await one.run('stty size')).toBe('40 100');

    const ends = shells.map(({ socket }) => ended(socket));
    one.socket.send(Buffer.from('exit 3\n'));
    other.socket.send(Buffer.from('exit\n'));
    expect(await Promise.all(ends)).toEqual([
      [4003, 'the shell exited with status 3'],
      [1000, 'the shell exited'],
    ]);
    await pods.none();
    const reasons = [await proxy.end(`${NAMESPACE}/terminal`, 1), await proxy.end(`${NAMESPACE}/terminal`, 2)].map(
      ({ code, reason }) => `${code} ${reason}`,
    );
    expect(reasons.sort()).toEqual(['200 normal_closure', '439 function_close_code']);
  }, 60_000);
});

describe('one client', () => {
  it('that needs more memory than there is ends with 434, or its command does', async () => {
    const { socket, run } = await openShell();
    // The kernel kills what is biggest: the command, and the shell lives; where the kubelet kills the whole group, the pod ends.
    const end = ended(socket).then((seen) => JSON.stringify(seen));
    const said = run("python3 -c 'x = bytearray(400 << 20)'; echo status=$?");
    expect(await Promise.race([end, said])).toMatch(/status=137|434 memory limit/);
    socket.close(1000);
    await end;
    await pods.none();
  }, 60_000);

  it('in a browser sees the shell of a pod in the page', async () => {
    const browser = await Browser.start();
    try {
      await browser.resize(1000, 260);
      await browser.open(`${pathToFileURL(join(EXAMPLE, 'index.html'))}#${url()}`);
      await browser.click('#key');
      await browser.type('try-the-terminal\n');
      const shows = (pattern: RegExp) =>
        until(
          `the page shows ${pattern}`,
          async () => pattern.test(await browser.value('terminal.selectAll(), terminal.getSelection()')),
          30_000,
        );
      await until('the terminal is open', async () => (await browser.value('document.body.dataset.state')) === 'open', 30_000);
      await browser.type('hostname\nid\n');
      await shows(/uid=1000/);
      await browser.type('ls --color /; touch /etc/mine\n');
      await shows(/Read-only file system$/m);
      await shows(/^terminal-slot-\d$/m);
      await browser.value('terminal.clearSelection()');
      if (PICTURES) writeFileSync(join(PICTURES, 'terminal.png'), await browser.picture());
      await browser.type('exit 0\n');
      await until('the page shows its end', async () => (await browser.value('document.body.dataset.state')) === 'ended');
      expect(await browser.value('end.innerText')).toMatch(/200\s+The shell ended/);
      expect(browser.complaints).toEqual([]);
    } finally {
      await browser.stop();
    }
    await pods.none();
  }, 120_000);
});
