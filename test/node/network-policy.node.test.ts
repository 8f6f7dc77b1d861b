// The controller's NetworkPolicy on a real node, enforced: who reaches a function's pod, and what it reaches. Each way is tried
// without the policy first, so that a way that is closed is closed by it. And statuses of functions that run.
import { execFileSync } from 'node:child_process';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { FunctionsOf, type RunningController, startController } from '../support/controller.ts';
import { functionObject, installCrd, kubectl, makeNamespace, mustOpen, type NodeProxy, startNodeProxy } from '../support/node.ts';
import { until } from '../support/ports.ts';

const FUNCTIONS = 'policed';
const OTHER = 'policed-other';
const KUBECONFIG = process.env.KUBECONFIG ?? '';
/** Where the API server of the node listens, and its Service. */
const API = ['198.19.0.1 6443', '198.18.255.1 443'];
const IMAGE = { image: 'localhost/node-echo:1', imagePullPolicy: 'IfNotPresent' };

let controller: RunningController | undefined;
let proxy: NodeProxy;
const address = new Map<string, string>();

beforeAll(async () => {
  await installCrd();
  for (const name of [FUNCTIONS, OTHER]) await makeNamespace(name);
  kubectl(['apply', '-n', FUNCTIONS, '-f', '-'], functionObject('echo', IMAGE, { idleTimeoutSeconds: 600 }));
  kubectl(['apply', '-n', FUNCTIONS, '-f', '-'], functionObject('second', IMAGE, { idleTimeoutSeconds: 600 }));
  proxy = await startNodeProxy();
  for (const name of ['echo', 'second']) {
    await proxy.serves(`${FUNCTIONS}/${name}`);
    await mustOpen(`ws://127.0.0.1:${proxy.port}/${FUNCTIONS}/${name}`);
  }
  // Pods that stand for others: a proxy's and one beside it in our namespace, and one in a namespace of its own that dresses as a proxy.
  const visitors: [namespace: string, name: string, labels: object][] = [
    ['default', 'proxy', { app: 'proxy' }],
    ['default', 'neighbour', { app: 'other' }],
    [OTHER, 'foe', { app: 'proxy' }],
    [OTHER, 'denied', {}],
  ];
  for (const [namespace, name, labels] of visitors) {
    const metadata = { name, namespace, labels };
    const pod = {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata,
      spec: { terminationGracePeriodSeconds: 0, containers: [{ name: 'c', ...IMAGE }] },
    };
    kubectl(['apply', '-f', '-'], pod);
  }
  for (const [namespace, name] of [...visitors, [FUNCTIONS, 'echo-slot-0'], [FUNCTIONS, 'second-slot-0']] as [string, string][]) {
    kubectl(['wait', '-n', namespace, `pod/${name}`, '--for=condition=Ready', '--timeout=60s']);
    address.set(name, kubectl(['get', 'pod', '-n', namespace, name, '-o', 'jsonpath={.status.podIP}']));
  }
}, 180_000);

afterAll(async () => {
  kubectl(['delete', 'pod', '-n', 'default', 'proxy', 'neighbour', '--grace-period=0', '--force']); // others look at this namespace
  await controller?.stop();
  expect(await proxy?.stop()).toBe(0);
});

/** Does a TCP connection from a pod open? It takes milliseconds: 2 s without an answer are a packet that was dropped. */
function reaches(namespace: string, pod: string, target: string): boolean {
  const [host, port] = target.split(' ');
  const script = `const s = require('net').connect(${port}, '${host}', () => { console.log('open'); process.exit(); });
    s.on('error', (e) => { console.log(e.code); process.exit(); }); setTimeout(() => { console.log('silence'); process.exit(); }, 2000);`;
  return kubectl(['exec', '-n', namespace, pod, '--', 'node', '-e', script]).trim() === 'open';
}

function resolves(pod: string): boolean {
  const script =
    "require('dns').lookup('kubernetes.default.svc.cluster.local', (e, a) => { console.log(e ? e.code : a); process.exit(); });";
  return kubectl(['exec', '-n', FUNCTIONS, pod, '--', 'node', '-e', script]).trim() === '198.18.255.1';
}

/** Every way that is tried, and whether it is open. */
function ways(): Record<string, boolean> {
  const to = (pod: string) => `${address.get(pod)} 9000`;
  return {
    'the proxy to a function': reaches('default', 'proxy', to('echo-slot-0')),
    'the node to a function': fromNode(),
    'a neighbour of the proxy to a function': reaches('default', 'neighbour', to('echo-slot-0')),
    'a pod of another namespace to a function': reaches(OTHER, 'foe', to('echo-slot-0')),
    'a function to another one': reaches(FUNCTIONS, 'second-slot-0', to('echo-slot-0')),
    'a function to the API server': reaches(FUNCTIONS, 'echo-slot-0', API[0] ?? ''),
    "a function to the API server's Service": reaches(FUNCTIONS, 'echo-slot-0', API[1] ?? ''),
    'a function to a pod elsewhere': reaches(FUNCTIONS, 'echo-slot-0', to('foe')),
    'a function to an address that is denied': reaches(FUNCTIONS, 'echo-slot-0', to('denied')),
    'a function to DNS': resolves('echo-slot-0'),
    'a neighbour of the proxy to the API server': reaches('default', 'neighbour', API[0] ?? ''),
  };
}

/** The kubelet's probes come from there. */
function fromNode(): boolean {
  return execFileSync('curl', ['-s', '-o', '/dev/null', '-w', '%{http_code}', '-m', '2', `http://${address.get('echo-slot-0')}:9000/`], {
    encoding: 'utf8',
  }).startsWith('426');
}

const CLOSED = [
  'a neighbour of the proxy to a function',
  'a pod of another namespace to a function',
  'a function to another one',
  'a function to the API server',
  "a function to the API server's Service",
  'a function to an address that is denied',
];

describe('the NetworkPolicy of a namespace with functions', () => {
  it('closes what it names and nothing else', async () => {
    const before = ways();
    expect(Object.entries(before).filter(([, open]) => !open)).toEqual([]);
    const args = ['--proxy-selector', 'app=proxy', '--deny-cidrs', `${address.get('denied')}/32`];
    controller = await startController(KUBECONFIG, args);
    await controller.leads();
    await until('the policy is there', () =>
      kubectl(['get', 'networkpolicy', '-n', FUNCTIONS, '-o', 'name']).includes('socketpod-functions'),
    );
    await until('it is enforced', () => !reaches(OTHER, 'foe', `${address.get('echo-slot-0')} 9000`), 20_000);
    expect(ways()).toEqual(Object.fromEntries(Object.keys(before).map((way) => [way, !CLOSED.includes(way)])));
  });

  it('leaves connections alone, those that are open and new ones', async () => {
    const { socket } = await mustOpen(`ws://127.0.0.1:${proxy.port}/${FUNCTIONS}/echo`);
    socket.close(1000);
    await proxy.end(`${FUNCTIONS}/echo`);
    expect(proxy.lines.filter(({ message, code }) => message === 'end' && code !== 200)).toEqual([]);
  });

  it('stands beside statuses that tell what runs on the node', async () => {
    const functions = new FunctionsOf({ kubectl });
    await until('the open connections are counted', () => functions.get(FUNCTIONS, 'second').status?.openConnections === 1);
    functions.apply(FUNCTIONS, 'warm', { warmPods: 2 });
    functions.apply(FUNCTIONS, 'broken', { warmPods: 1 }, {}, { image: 'localhost/there-is-none:1' });
    kubectl(['wait', '-n', FUNCTIONS, 'wsf/warm', '--for=condition=WarmPodsReady', '--timeout=60s']);
    expect(functions.get(FUNCTIONS, 'warm').status?.warmPods).toBe(2);
    const { message } = await functions.reason(FUNCTIONS, 'broken', 'ImagePullFailed', 'WarmPodsReady', 60_000);
    expect(message).toMatch(/^0 of 1 warm pods wait for a connection; the last one that failed: ErrImagePull: /);
    kubectl(['scale', '-n', FUNCTIONS, 'wsf/warm', '--replicas=0']);
    await until('none is warm', () => functions.get(FUNCTIONS, 'warm').status?.warmPods === 0, 30_000);
    expect(functions.condition(FUNCTIONS, 'warm', 'WarmPodsReady')).toBeUndefined();
  });

  it('goes with the last function, and what was closed is open again', async () => {
    kubectl(['delete', 'wsf', '-n', FUNCTIONS, '--all']);
    await until('it is gone', () => kubectl(['get', 'networkpolicy', '-n', FUNCTIONS, '-o', 'name']) === '');
    expect(reaches('default', 'neighbour', `${address.get('foe')} 9000`)).toBe(true);
  });
});
