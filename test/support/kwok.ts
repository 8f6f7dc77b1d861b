// Pods by the hundred, for tests whose numbers matter: KWOK plays nodes and kubelets beside the real node, and one WebSocket echo server
// plays all containers, as each fake pod's address leads to this machine (test/cluster/cluster.sh). It counts what each pod serves.
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import type { V1Pod } from '@kubernetes/client-node';
import { type WebSocket, WebSocketServer } from 'ws';
import { connectKube } from '../../src/kube/client.ts';
import { deletePod } from '../../src/kube/pods.ts';
import { Watch } from '../../src/kube/watch.ts';
import { kubeBinary } from './cluster.ts';
import { functionObject, kubectl } from './node.ts';
import { until } from './ports.ts';

const STAGES = join(import.meta.dirname, '..', 'cluster', 'kwok-stages.yaml');
const FAKE = 'kwok.x-k8s.io/node';

/** One connection as the function's side saw it. */
export interface Served {
  /** The pod's address. */
  readonly address: string;
  /** The connection's id, from its X-Request-Id. */
  readonly id: string;
  readonly openedAt: number;
  /** ms of performance.now(); undefined while it is open. */
  closedAt?: number;
}

/** The fake nodes and the one server of all their pods. */
export interface Kwok {
  /** All connections so far, in order. */
  readonly served: readonly Served[];
  /** The open ones, by the connection's id. */
  readonly open: ReadonlyMap<string, WebSocket>;
  stop(): Promise<void>;
}

/** A function whose pods are fake. */
export function fakeFunction(name: string, spec: object = {}, container: object = {}): object {
  const tolerations = [{ key: FAKE, operator: 'Exists' }];
  return functionObject(name, container, spec, { nodeSelector: { type: 'kwok' }, tolerations });
}

/** Starts KWOK with this many nodes, and the server at port 9000 of every address. */
export async function startKwok(nodes = 5): Promise<Kwok> {
  const args = ['kwok', '--config', STAGES, '--cidr', '198.18.64.0/18', '--node-lease-duration-seconds', '40'];
  const child = spawn(kubeBinary() ?? '', [...args, '--manage-nodes-with-annotation-selector', `${FAKE}=fake`], { stdio: 'ignore' });
  const names = Array.from({ length: nodes }, (_, n) => `kwok-${n}`);
  const server = await startServer();
  const kubelet = await startKubelet();
  kubectl(['apply', '-f', '-'], { apiVersion: 'v1', kind: 'List', items: names.map(fakeNode) });
  await until(
    'the fake nodes are ready',
    () => {
      const ready = kubectl(['get', 'nodes', '-l', 'type=kwok', '-o', 'jsonpath={.items[*].status.conditions[?(@.type=="Ready")].status}']);
      return ready.split(' ').filter((status) => status === 'True').length === nodes;
    },
    30_000,
  );
  return {
    served: server.served,
    open: server.open,
    async stop() {
      kubectl(['delete', 'node', '-l', 'type=kwok']);
      await end(child);
      await kubelet.stop();
      server.stop();
    },
  };
}

function fakeNode(name: string): object {
  const labels = { type: 'kwok', 'kubernetes.io/hostname': name, 'kubernetes.io/os': 'linux' };
  const spec = { taints: [{ key: FAKE, value: 'fake', effect: 'NoSchedule' }] }; // the pods of other tests stay on the real node
  return { apiVersion: 'v1', kind: 'Node', metadata: { name, labels, annotations: { [FAKE]: 'fake' } }, spec };
}

/** What KWOK cannot be trusted with: the end of a pod that is being deleted, by its uid. */
async function startKubelet(): Promise<{ stop(): Promise<void> }> {
  const client = connectKube(process.env.KUBECONFIG);
  const ended = new Set<string>();
  const set = (pod: V1Pod) => {
    const { uid = '', deletionTimestamp } = pod.metadata ?? {};
    if (!pod.spec?.nodeName?.startsWith('kwok-') || !deletionTimestamp || ended.has(uid)) return;
    ended.add(uid);
    deletePod(client, pod, 0).catch((error) => {
      ended.delete(uid); // the next change of the pod tries again
      console.log(`kubelet: ${error.message}`);
    });
  };
  const gone = (pod: V1Pod) => void ended.delete(pod.metadata?.uid ?? '');
  const watch = new Watch<V1Pod>(client, { path: '/api/v1/pods', set, gone, fault: () => {} });
  await watch.start();
  return {
    async stop() {
      watch.stop();
      await client.close();
    },
  };
}

async function startServer(): Promise<Pick<Kwok, 'served' | 'open'> & { stop(): void }> {
  const served: Served[] = [];
  const open = new Map<string, WebSocket>();
  const server = new WebSocketServer({ host: '0.0.0.0', port: 9000, perMessageDeflate: false });
  await once(server, 'listening');
  server.on('connection', (socket, request) => {
    const id = String(request.headers['x-request-id']);
    const one: Served = { address: request.socket.localAddress ?? '', id, openedAt: performance.now() };
    served.push(one);
    open.set(id, socket);
    socket.on('message', (data, isBinary) => socket.send(data, { binary: isBinary }));
    socket.on('error', () => {}); // a client may do anything; 'close' follows
    socket.on('close', () => {
      one.closedAt = performance.now();
      open.delete(id);
    });
  });
  const stop = () => {
    for (const socket of server.clients) socket.terminate();
    server.close();
  };
  return { served, open, stop };
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  child.kill('SIGTERM');
  await once(child, 'exit');
}
