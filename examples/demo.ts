// `npm run demo`: the main job, seen in under a minute on this machine. Three clients, three processes, every kind of end, and no
// process left behind. It starts the real `socketpod dev`, checks what it shows, and with --once ends with exit code 0 or 1.
import { spawnSync } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';
import { styleText } from 'node:util';
import { type Client, connectClient, type Dev, type DevEvent, startDev } from './demo-dev.ts';

const ECHO_FILE = 'examples/node-echo/function.yaml';
const PUSH_FILE = 'examples/python-push/function.yaml';
/** Between two pushes of the Python function, so that nobody has to wait 10 s for one. */
const PUSH_SECONDS = '1';
/** The longest that a process may outlive its connection here (ms): SIGKILL comes 5 s after SIGTERM. */
const GONE_MS = 10_000;

const failures: string[] = [];
const bold = (text: string) => styleText('bold', text, { stream: process.stdout });
const dim = (text: string) => styleText('dim', text, { stream: process.stdout });
const say = (line = '') => console.log(line);

/** Says what was seen; what is not as promised is counted. */
function check(what: string, holds: boolean): void {
  if (!holds) failures.push(what);
  say(
    `  ${holds ? styleText('green', 'ok', { stream: process.stdout }) : styleText('red', 'NOT AS PROMISED', { stream: process.stdout })}  ${what}`,
  );
}

async function story(dev: Dev, withPython: boolean): Promise<string> {
  const { urls } = await dev.first('the function is served', (event) => event.function === 'default/node-echo');
  await dev.first('dev listens', (event) => event.event === 'listening');
  const url = urls?.[0] ?? '';
  const pids: number[] = [];

  say(bold(`\n1. Three clients connect to ${url} at once: each gets a process of its own`));
  const [first, second, third] = await Promise.all([connectClient(url), connectClient(url), connectClient(url)]);
  for (const client of [first, second, third]) {
    const pid = Number(await client.ask('pid'));
    pids.push(pid);
    say(`  connection ${client.id} is served by process ${pid}`);
  }
  check(`3 clients, ${new Set(pids).size} processes`, new Set(pids).size === 3 && pids.every(isRunning));

  say(bold('\n2. Frames go both ways, text and binary'));
  check('"hello" came back', (await first.ask('hello')) === 'hello');
  const bytes = Buffer.from([0, 1, 2, 255]);
  second.socket.send(bytes);
  const answer = await second.next();
  check('4 bytes came back as binary', Buffer.isBuffer(answer) && answer.equals(bytes));
  let push: Client | undefined;
  if (withPython) {
    push = await connectClient(url.replace('node-echo', 'python-push'));
    pids.push(Number(await push.ask('pid')));
    const pushed = String(await push.next());
    check(`the Python function spoke unasked: "${pushed}"`, pushed.startsWith('push 1'));
  }

  say(bold('\n3. Each connection ends in another way'));
  const fourth = await connectClient(url);
  pids.push(Number(await fourth.ask('pid')));
  first.socket.close(1000);
  second.socket.send('exit 7');
  third.socket.terminate();
  fourth.socket.send('close 4001');
  push?.socket.close(1000);
  const lost = await connectClient(`${url}-that-is-not-there`);
  const refused = await connectClient(`${url}/refuse`);
  const told = await second.ended();
  check(`the client of the process that exited was told: ${told.closeCode} "${told.closeReason}"`, told.closeCode === 1011);
  await expectEnds(dev, [
    ['the client closed with 1000', first, 200, 'normal_closure'],
    ['the process exited with 7', second, 439, 'function_exited'],
    ['the client dropped its connection', third, 456, 'client_dropped'],
    ['the function closed with 4001', fourth, 439, 'function_close_code'],
    ...(push ? [['the client of the Python function closed with 1000', push, 200, 'normal_closure'] as const] : []),
    ['no function at this path', lost, 435, 'route_not_found'],
    ['the function itself refused with 403', refused, 200, 'function_refused'],
  ]);

  say(bold('\n4. No process outlives its connection'));
  const end = Date.now() + GONE_MS;
  while (pids.some(isRunning) && Date.now() < end) await sleep(20);
  check(`gone: ${pids.join(', ')}`, !pids.some(isRunning));
  return url;
}

type Expected = readonly [what: string, client: Client, code: number, reason: string];

/** Prints the table of ends as dev recorded them, and checks it. */
async function expectEnds(dev: Dev, expected: readonly Expected[]): Promise<void> {
  const ends: DevEvent[] = [];
  for (const [what, { id }] of expected) ends.push(await dev.first(what, (event) => event.event === 'end' && event.id === id));
  say(dim(`  ${'what happened'.padEnd(50)} HTTP  code  status   reason`));
  for (const [index, [what, , code, reason]] of expected.entries()) {
    const end = ends[index];
    const row = `${what.padEnd(50)} ${end?.httpStatus}   ${end?.code}   ${end?.status}  ${end?.reason}`;
    if (end?.code === code && end.reason === reason) say(`  ${row}`);
    else check(`${row} (expected ${code} ${reason})`, false);
  }
}

/** Whether there is a process with this id. */
function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ESRCH') return false;
    throw error;
  }
}

/** Leaves dev to the reader until Ctrl-C. */
async function stayUp(dev: Dev, url: string): Promise<void> {
  say(`\nIt stays up for you. In another terminal:\n\n  node_modules/.bin/node src/main.ts connect ${url}\n`);
  say(dim('and type: hello, pid, exit 7, close 4001. Stop here with Ctrl-C.\n'));
  dev.onEvent(({ event, id, function: key, backend, code, reason }) => {
    if (event === 'open') say(`${id} open  ${key}  ${backend}`);
    if (event === 'end') say(`${id} end   ${key || '-'}  ${code} ${reason}`);
  });
  await dev.exited;
}

async function main(): Promise<number> {
  const once = process.argv.includes('--once');
  const withPython = spawnSync('python3', ['-c', 'import websockets.asyncio.server']).status === 0;
  if (!withPython) {
    say('examples/python-push is left out: python3 has no websockets; add it with: pip install -r examples/python-push/requirements.txt');
  }
  const dev = startDev([ECHO_FILE, ...(withPython ? [PUSH_FILE] : [])], { PUSH_SECONDS });
  let interrupted = false;
  const interrupt = () => {
    interrupted = true;
    void dev.stop(); // a terminal tells dev itself; a script tells only us
  };
  process.on('SIGINT', interrupt);
  process.on('SIGTERM', interrupt);
  let url = '';
  try {
    url = await story(dev, withPython);
  } catch (error) {
    if (interrupted) return 130;
    check(error instanceof Error ? error.message : String(error), false);
  }
  if (!once && failures.length === 0) await stayUp(dev, url);
  const exitCode = await dev.stop();
  if (exitCode !== 0) check(`socketpod dev ended with exit code ${exitCode}`, false);
  say(failures.length === 0 ? bold('\nAll as promised.') : bold(`\n${failures.length} not as promised.`));
  return failures.length === 0 ? 0 : 1;
}

const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
if (major < 22 || (major === 22 && minor < 19)) {
  console.error(`demo: Node ${process.versions.node} is too old; 22.19 or newer is needed (npm run demo brings Node 24)`);
  process.exit(1);
}
process.exit(await main());
