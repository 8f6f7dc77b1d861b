// Each way in which a pod ends while its connection is open (rows 12 to 16 and 22 of the measured table): what the client sees and
// what is recorded.
import { once } from 'node:events';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  ask,
  evict,
  functionObject,
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

const NAMESPACE = 'serving';
let proxy: NodeProxy;
let pods: PodWatch;

const NODE = { image: 'localhost/node-echo:1', resources: { limits: { memory: '96Mi' } } };

/** A function in Node that runs this on each message. */
function script(onMessage: string, flags: string[] = []): object {
  const source = `import { WebSocketServer } from 'ws'; import { spawn } from 'node:child_process';
    process.on('SIGTERM', () => process.exit(0));
    new WebSocketServer({ port: 9000 }).on('connection', (s) => s.on('message', (m) => { ${onMessage} }));`;
  return { ...NODE, command: ['node', ...flags, '--input-type=module', '-e', source], workingDir: '/app' };
}

const EAT = 'const all = []; for (;;) all.push(Buffer.alloc(1e6, 1));';

const FUNCTIONS: Record<string, [container: object, pod?: object, spec?: object]> = {
  fn: [{ resources: { limits: { memory: '64Mi' } } }],
  stubborn: [{ args: ['--ignore-term'] }],
  child: [
    script(`if (String(m) === 'end') process.exit(0); spawn(process.execPath, ['-e', \`${EAT}\`]).on('exit', () => s.send('child died'));`),
  ],
  heap: [script('const all = []; for (;;) all.push(new Array(1e5).fill({}));', ['--max-old-space-size=20'])],
  preempted: [{ resources: { requests: { cpu: '1200m' } } }],
};

beforeAll(async () => {
  await installCrd();
  await makeNamespace(NAMESPACE);
  kubectl(['create', 'priorityclass', 'high', '--value=1000']);
  const items = Object.entries(FUNCTIONS).map(([name, [container, pod, spec]]) => functionObject(name, container, spec, pod));
  kubectl(['apply', '-n', NAMESPACE, '-f', '-'], { apiVersion: 'v1', kind: 'List', items });
  pods = await watchPods(NAMESPACE);
  proxy = await startNodeProxy();
  await Promise.all(Object.keys(FUNCTIONS).map((name) => proxy.serves(`${NAMESPACE}/${name}`)));
}, 90_000);

afterAll(async () => {
  await pods?.none(60_000);
  await pods?.stop();
  expect(await proxy?.stop()).toBe(0);
}, 90_000);

let ended = new Map<string, number>();

/** Opens a connection, does something to it, and gives the client's close and the record. */
async function endOf(
  name: string,
  act: (pod: string, socket: Awaited<ReturnType<typeof mustOpen>>['socket']) => unknown,
): Promise<[number, string, unknown]> {
  const { socket } = await mustOpen(`ws://127.0.0.1:${proxy.port}/${NAMESPACE}/${name}`);
  const [pod] = [...pods.pods.values()].filter(
    ({ metadata }) => metadata?.labels?.['socketpod.dev/function'] === name && !metadata.deletionTimestamp,
  );
  const closed = once(socket, 'close');
  await act(pod?.metadata?.name ?? '', socket);
  const [code, text] = await closed;
  const count = (ended.get(name) ?? 0) + 1;
  ended = ended.set(name, count);
  const record = await proxy.end(`${NAMESPACE}/${name}`, count);
  await until('its pod is gone', () => ![...pods.pods.keys()].includes(`${NAMESPACE}/${pod?.metadata?.name}`), 30_000);
  return [code, String(text), record.reason];
}

describe('while it serves', () => {
  it('12a: the container is killed for memory', async () => {
    expect(await endOf('fn', (_pod, socket) => socket.send('eat 200'))).toEqual([1011, '439 function exited', 'memory_limit']);
  });

  it('12c: a child of it is killed for memory, it goes on, and later exits with 0', async () => {
    const end = await endOf('child', async (_pod, socket) => {
      expect(await ask(socket, 'start')).toBe('child died');
      socket.send('end');
    });
    expect(end).toEqual([1011, '439 function exited', 'function_dropped']);
  });

  it('12d: the heap limit of Node is no memory kill', async () => {
    expect(await endOf('heap', (_pod, socket) => socket.send('go'))).toEqual([1011, '439 function exited', 'function_exited']);
  });

  it('14: the pod is deleted by somebody', async () => {
    expect(await endOf('fn', (pod) => kubectl(['delete', 'pod', '-n', NAMESPACE, pod, '--wait=false']))).toEqual([
      1011,
      '439 function exited',
      'pod_deleted',
    ]);
  });

  it('14: the pod is deleted by force, and its object vanishes under the open socket', async () => {
    const end = await endOf('stubborn', (pod) =>
      kubectl(['delete', 'pod', '-n', NAMESPACE, pod, '--force', '--grace-period=0', '--wait=false']),
    );
    expect(end).toEqual([1011, '439 function exited', 'pod_deleted']);
  });

  it('15: the pod is evicted', async () => {
    expect(await endOf('fn', (pod) => evict(NAMESPACE, pod))).toEqual([1012, '439 pod evicted', 'pod_evicted']);
  });

  it('15: a close frame counts, although the pod was evicted before', async () => {
    const end = await endOf('stubborn', async (pod, socket) => {
      evict(NAMESPACE, pod);
      await until('the deletion shows', () => pods.pods.get(`${NAMESPACE}/${pod}`)?.metadata?.deletionTimestamp !== undefined);
      socket.send('close 4001');
    });
    expect(end).toEqual([4001, '', 'function_close_code']);
  });

  it('15b: the pod is preempted by the scheduler', async () => {
    const end = await endOf('preempted', () => {
      kubectl(['apply', '-n', NAMESPACE, '-f', '-'], {
        apiVersion: 'v1',
        kind: 'Pod',
        metadata: { name: 'important' },
        spec: {
          priorityClassName: 'high',
          terminationGracePeriodSeconds: 0,
          containers: [{ name: 'c', image: 'localhost/fn:1', imagePullPolicy: 'IfNotPresent', resources: { requests: { cpu: '1200m' } } }],
        },
      });
    });
    kubectl(['delete', 'pod', '-n', NAMESPACE, 'important', '--force', '--grace-period=0']);
    expect(end).toEqual([1012, '439 pod evicted', 'pod_evicted']);
  });

  it.each([
    ['exit 7', 'function_exited'],
    ['kill', 'function_exited'],
    ['exit 0', 'function_dropped'],
    ['drop', 'function_dropped'],
    ['reset', 'function_dropped'],
  ])('16: the function ends by %s', async (words, reason) => {
    expect(await endOf('fn', (_pod, socket) => socket.send(words))).toEqual([1011, '439 function exited', reason]);
  });

  it('22: the deadline of the pod is over', async () => {
    const end = await endOf('fn', (pod) => kubectl(['patch', 'pod', '-n', NAMESPACE, pod, '-p', '{"spec":{"activeDeadlineSeconds":1}}']));
    expect(end[0]).toBe(1011);
    expect(end[2]).toMatch(/^function_(dropped|exited)$/);
  });

  it('the function is deleted: 1001 on both sides', async () => {
    kubectl(['apply', '-n', NAMESPACE, '-f', '-'], functionObject('doomed', {}));
    await proxy.serves(`${NAMESPACE}/doomed`);
    const [code, , reason] = await endOf('doomed', () => kubectl(['delete', 'wsf', '-n', NAMESPACE, 'doomed']));
    expect([1001, 1011]).toContain(code); // 1011 where the garbage collector was first
    expect(reason).toBe('function_deleted');
  });
});
