// Each way in which a pod fails before its port opens (rows of the measured table): the contract's status, code and reason, and no
// pod is left. The rows run side by side, each as a function of its own.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  functionObject,
  installCrd,
  kubectl,
  makeNamespace,
  type NodeProxy,
  openSocket,
  type PodWatch,
  startNodeProxy,
  watchPods,
} from '../support/node.ts';
import { type BadRegistry, startBadRegistry } from '../support/registry.ts';

const NAMESPACE = 'failures';
let proxy: NodeProxy;
let pods: PodWatch;
let registry: BadRegistry;

interface Row {
  /** Name of the function; the number is that of the table. */
  readonly row: string;
  readonly what: string;
  readonly container?: object | ((registry: BadRegistry) => object);
  readonly pod?: object;
  readonly init?: number;
  readonly expected: [http: number, code: number, reason: string];
}

const FAIL_444: Row['expected'] = [502, 444, 'image_pull_failed'];
const FAIL_445: Row['expected'] = [502, 445, 'container_start_failed'];
const FAIL_405: Row['expected'] = [502, 405, 'container_exited'];
const FAIL_446: Row['expected'] = [504, 446, 'port_timeout'];
const FAIL_449: Row['expected'] = [503, 449, 'unschedulable'];
const FAIL_450: Row['expected'] = [504, 450, 'pod_start_timeout'];
const FAIL_447: Row['expected'] = [504, 447, 'image_pull_timeout'];

/** An init container that writes a file into a volume that the function has at /x. */
const WITH_FILE = {
  volumes: [{ name: 'x', emptyDir: {} }],
  initContainers: [
    {
      name: 'write',
      image: 'localhost/node-echo:1',
      command: ['node', '-e', "require('fs').writeFileSync('/x/f', 'no program', { mode: 0o755 })"],
      volumeMounts: [{ name: 'x', mountPath: '/x' }],
    },
  ],
};

const from = (path: string) => (registry: BadRegistry) => ({ image: `127.0.0.1:${registry.port}/${path}:1` });

const ROWS: readonly Row[] = [
  {
    row: 'r2',
    what: 'an image that is missing, never pulled',
    container: { image: 'localhost/none:1', imagePullPolicy: 'Never' },
    expected: FAIL_444,
  },
  { row: 'r3a', what: 'a registry without an address', container: { image: 'registry.invalid/x:1' }, expected: FAIL_444 },
  { row: 'r3b', what: 'a registry that refuses connections', container: { image: '127.0.0.1:1/x:1' }, expected: FAIL_444 },
  ...['404', '401', '403', '429', '500'].map((status) => ({
    row: `r3c-${status}`,
    what: `a registry that answers ${status}`,
    container: from(`status/${status}`),
    expected: FAIL_444,
  })),
  { row: 'r3d', what: 'a registry that cuts a blob', container: from('cut/x'), init: 60, expected: FAIL_444 },
  { row: 'r3e', what: 'a registry that swallows packets', container: { image: '198.19.0.77/x:1' }, init: 3, expected: FAIL_447 },
  { row: 'r4', what: 'a pull that stalls', container: from('stall/x'), init: 3, expected: FAIL_447 },
  { row: 'r5', what: 'an image name that is none', container: { image: 'NOT::A//NAME' }, expected: FAIL_444 },
  { row: 'r6a', what: 'a command that is missing', container: { command: ['/none'] }, expected: FAIL_445 },
  { row: 'r6a-dir', what: 'a working directory that is a file', container: { workingDir: '/fn' }, expected: FAIL_445 },
  {
    row: 'r6b',
    what: 'a command that is no program',
    container: { command: ['/x/f'], volumeMounts: [{ name: 'x', mountPath: '/x' }] },
    pod: WITH_FILE,
    expected: FAIL_405,
  },
  { row: 'r7', what: 'an exit with 1', container: { args: ['--exit', '1'] }, expected: FAIL_405 },
  { row: 'r8', what: 'an exit with 0', container: { args: ['--exit', '0'] }, expected: FAIL_405 },
  { row: 'r9', what: 'no listener', container: { args: ['--never'] }, init: 4, expected: FAIL_446 },
  { row: 'r11', what: 'a listener on loopback only', container: { args: ['--loopback'] }, init: 4, expected: FAIL_446 },
  {
    row: 'r12b',
    what: 'a memory limit before it listens',
    container: { args: ['--eat', '256'], resources: { limits: { memory: '32Mi' } } },
    expected: [502, 434, 'memory_limit'],
  },
  {
    row: 'r12e',
    what: 'a memory limit too small for the sandbox',
    container: { resources: { limits: { memory: '512Ki' } } },
    init: 4,
    expected: FAIL_450,
  },
  { row: 'r13-node', what: 'no node with that label', pod: { nodeSelector: { no: 'such' } }, init: 3, expected: FAIL_449 },
  {
    row: 'r13-cpu',
    what: 'no node with that much CPU',
    container: { resources: { requests: { cpu: '1000' } } },
    init: 3,
    expected: FAIL_449,
  },
  {
    row: 'r17a',
    what: 'a ConfigMap that is missing, for the environment',
    container: { env: [{ name: 'X', valueFrom: { configMapKeyRef: { name: 'none', key: 'x' } } }] },
    expected: FAIL_445,
  },
  {
    row: 'r17b',
    what: 'a ConfigMap that is missing, as a volume',
    container: { volumeMounts: [{ name: 'c', mountPath: '/c' }] },
    pod: { volumes: [{ name: 'c', configMap: { name: 'none' } }] },
    init: 4,
    expected: FAIL_450,
  },
  {
    row: 'r17c',
    what: 'a seccomp profile that is missing',
    container: { securityContext: { seccompProfile: { type: 'Localhost', localhostProfile: 'none.json' } } },
    expected: FAIL_445,
  },
  { row: 'r23', what: 'the user root with runAsNonRoot', container: { securityContext: { runAsUser: 0 } }, expected: FAIL_445 },
  {
    row: 'r24',
    what: 'a volume claim that is missing',
    pod: { volumes: [{ name: 'p', persistentVolumeClaim: { claimName: 'none' } }] },
    init: 3,
    expected: FAIL_449,
  },
  { row: 'r25', what: 'a runtime that the node has not', pod: { runtimeClassName: 'no-such-handler' }, init: 4, expected: FAIL_450 },
  {
    row: 'r18-account',
    what: 'a service account that is missing',
    pod: { serviceAccountName: 'none' },
    expected: [502, 445, 'pod_rejected'],
  },
  { row: 'r18-class', what: 'a priority class that is missing', pod: { priorityClassName: 'none' }, expected: [502, 445, 'pod_rejected'] },
  { row: 'r18-name', what: 'a container name that is none', container: { name: 'NOT_A_NAME' }, expected: [502, 445, 'pod_rejected'] },
];

beforeAll(async () => {
  await installCrd();
  registry = await startBadRegistry();
  await makeNamespace(NAMESPACE);
  kubectl(['create', '-f', '-'], {
    apiVersion: 'node.k8s.io/v1',
    kind: 'RuntimeClass',
    metadata: { name: 'no-such-handler' },
    handler: 'none',
  });
  const items = ROWS.map(({ row, container = {}, pod = {}, init = 30 }) =>
    functionObject(row, typeof container === 'function' ? container(registry) : container, { initTimeoutSeconds: init }, pod),
  );
  kubectl(['apply', '-n', NAMESPACE, '-f', '-'], { apiVersion: 'v1', kind: 'List', items });
  pods = await watchPods(NAMESPACE);
  proxy = await startNodeProxy();
  await proxy.serves(`${NAMESPACE}/${ROWS.at(-1)?.row}`);
}, 90_000);

afterAll(async () => {
  await pods?.none(60_000);
  await pods?.stop();
  expect(await proxy?.stop()).toBe(0);
  await registry?.stop();
}, 90_000);

describe.concurrent('before its port opens', { timeout: 150_000 }, () => {
  it.each(ROWS)('$row: $what', async ({ row, expected }) => {
    const begun = performance.now();
    const refused = await openSocket(`ws://127.0.0.1:${proxy.port}/${NAMESPACE}/${row}`);
    const end = await proxy.end(`${NAMESPACE}/${row}`);
    console.log(`${row} ${end.code} ${end.reason} after ${(performance.now() - begun).toFixed(0)} ms: ${end.detail}`);
    expect('status' in refused && [refused.status, refused.code, end.reason], String(end.detail)).toEqual(expected);
  });
});

describe('the rest of the rows', () => {
  it('10: a listener after 3 s is waited for', async () => {
    kubectl(['apply', '-n', NAMESPACE, '-f', '-'], functionObject('r10', { args: ['--delay', '3000'] }));
    await proxy.serves(`${NAMESPACE}/r10`);
    const opened = await openSocket(`ws://127.0.0.1:${proxy.port}/${NAMESPACE}/r10`);
    if (!('socket' in opened)) throw new Error(opened.body);
    opened.socket.close(1000);
    expect((await proxy.end(`${NAMESPACE}/r10`)).reason).toBe('normal_closure');
  });
});
