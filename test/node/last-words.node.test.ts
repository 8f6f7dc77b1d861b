// The last words of a function reach the log and an Event on it, and never the client.
import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parse, stringify } from 'yaml';
import {
  functionObject,
  installCrd,
  kubectl,
  type LogLine,
  makeNamespace,
  mustOpen,
  type NodeProxy,
  openSocket,
  type PodWatch,
  startNodeProxy,
  watchPods,
} from '../support/node.ts';
import { until } from '../support/ports.ts';

const NAMESPACE = 'words';
let proxy: NodeProxy;
let quiet: NodeProxy | undefined;
let pods: PodWatch;

const FUNCTIONS = { words: {}, silent: {}, early: { args: ['--exit', '7'] } };

beforeAll(async () => {
  await installCrd();
  await makeNamespace(NAMESPACE);
  const items = Object.entries(FUNCTIONS).map(([name, container]) => functionObject(name, container));
  kubectl(['apply', '-n', NAMESPACE, '-f', '-'], { apiVersion: 'v1', kind: 'List', items });
  pods = await watchPods(NAMESPACE);
  proxy = await startNodeProxy();
  await Promise.all(Object.keys(FUNCTIONS).map((name) => proxy.serves(`${NAMESPACE}/${name}`)));
}, 90_000);

afterAll(async () => {
  await pods?.none(60_000);
  await pods?.stop();
  expect([await proxy?.stop(), await quiet?.stop()]).toEqual([0, 0]);
}, 90_000);

const urlOf = (name: string, { port }: NodeProxy) => `ws://127.0.0.1:${port}/${NAMESPACE}/${name}`;

/** Opens a connection, sends the words that end the function, and gives all that the client was told: messages, close code and text. */
async function endBy(words: string, name: string, by: NodeProxy): Promise<string> {
  const { socket } = await mustOpen(urlOf(name, by));
  const told: string[] = [];
  socket.on('message', (message) => told.push(String(message)));
  const closed = once(socket, 'close');
  socket.send(words);
  return [...told, ...(await closed)].join(' ');
}

/** The log lines of the ends of all connections to a function. */
function endsOf(name: string, { lines }: NodeProxy): LogLine[] {
  return lines.filter(({ message, function: key }) => message === 'end' && key === `${NAMESPACE}/${name}`);
}

const WITH_WORDS = {
  code: 439,
  reason: 'function_exited',
  detail: 'exit code 7',
  lastWords: expect.stringMatching(/^listening .*\nfn: exit 7$/),
};

/** A kubeconfig with the rights of a proxy, but for Events. */
function withoutEvents(): string {
  kubectl(['create', 'serviceaccount', '-n', NAMESPACE, 'quiet']);
  kubectl([
    'create',
    'clusterrole',
    'quiet',
    '--verb=get,list,watch,create,patch,delete',
    '--resource=pods,websocketfunctions.socketpod.dev,leases.coordination.k8s.io',
  ]);
  kubectl(['create', 'clusterrolebinding', 'quiet', '--clusterrole=quiet', `--serviceaccount=${NAMESPACE}:quiet`]);
  const config = parse(readFileSync(process.env.KUBECONFIG ?? '', 'utf8'));
  config.users[0].user = { token: kubectl(['create', 'token', '-n', NAMESPACE, 'quiet']).trim() };
  const path = `${process.env.KUBECONFIG}.quiet`;
  writeFileSync(path, stringify(config));
  return path;
}

describe('the last words of a function', () => {
  it('are in the log line of each connection and in one Event a minute, and the client never sees them', async () => {
    const told = await Promise.all(Array.from({ length: 5 }, () => endBy('exit 7', 'words', proxy)));
    expect(told).toEqual(Array(5).fill('1011 439 function exited'));
    await proxy.end(`${NAMESPACE}/words`, 5);
    for (const line of endsOf('words', proxy)) expect(line).toMatchObject(WITH_WORDS);
    const events = ['get', 'events', '-n', NAMESPACE, '--field-selector', 'involvedObject.name=words', '--no-headers'];
    await until('the Event is there', () => kubectl(events) !== '');
    expect(kubectl(events).trim().split('\n')).toEqual([
      expect.stringMatching(
        /Warning\s+FunctionExited\s+websocketfunction\/words\s+439 the container exited: exit code 7; last words: .*fn: exit 7/,
      ),
    ]);
    expect(kubectl(['describe', 'wsf', '-n', NAMESPACE, 'words'])).toMatch(/FunctionExited .*socketpod-proxy .*last words: .*fn: exit 7\n/);
  });

  it('are told of a start that fails, too', async () => {
    const refused = await openSocket(urlOf('early', proxy));
    expect(refused).toMatchObject({ status: 502, code: 405, body: expect.not.stringContaining('fn:') });
    const end = await proxy.end(`${NAMESPACE}/early`);
    expect(end).toMatchObject({ reason: 'container_exited', detail: 'exit code 7 before its port opened', lastWords: 'fn: exit 7' });
    await until('the Event is there', () => kubectl(['describe', 'wsf', '-n', NAMESPACE, 'early']).includes('ContainerExited'));
  });

  it('are logged by a proxy that may not make Events; it says so once and goes on', async () => {
    quiet = await startNodeProxy(['--kubeconfig', withoutEvents()]);
    await quiet.serves(`${NAMESPACE}/silent`);
    const words = ['exit 7', 'raw 8000', 'exit 7']; // the second breaks the framing: another reason
    for (const [i, text] of words.entries()) {
      await endBy(text, 'silent', quiet);
      await quiet.end(`${NAMESPACE}/silent`, i + 1);
    }
    const warnings = () => quiet?.lines.filter(({ level }) => level === 'warn').map(({ message }) => message);
    await until('it is logged', () => warnings()?.length !== 0);
    expect(endsOf('silent', quiet)).toMatchObject([WITH_WORDS, { reason: 'function_protocol_error' }, WITH_WORDS]);
    expect(await quiet.stop()).toBe(0);
    expect(warnings()).toEqual([
      expect.stringMatching(/^an Event on a function cannot be created: events is forbidden: .*cannot create resource "events"/),
    ]);
    expect(kubectl(['get', 'events', '-n', NAMESPACE, '--field-selector', 'involvedObject.name=silent'])).toBe('');
  });
});
