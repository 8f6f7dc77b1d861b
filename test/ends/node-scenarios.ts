// How the rows of the contract that need Kubernetes are brought about, one function each.
import type { WebSocket } from 'ws';
import { evict, kubectl } from '../support/node.ts';
import type { BadRegistry } from '../support/registry.ts';

/** What a scenario can touch when its time has come: the pod, which runs or starts, and the client's socket, once it is open. */
export interface Stage {
  readonly namespace: string;
  readonly pod: string;
  readonly socket: WebSocket | undefined;
}

/** One row's way. */
export interface NodeScenario {
  /** Of the function: what differs from one that works. */
  readonly container?: object | ((registry: BadRegistry) => object);
  readonly pod?: object;
  readonly initTimeoutSeconds?: number;
  /** Objects of its namespace that must be there first. */
  readonly objects?: readonly object[];
  /** The API server cannot be reached when the client comes. */
  readonly away?: true;
  /** What happens when the connection is open, or else when its pod's container runs; absent: nothing has to. */
  act?(stage: Stage): void;
  /** The text of the close frame to the client of an open connection. */
  readonly text?: string;
}

const LITTLE_MEMORY = { resources: { limits: { memory: '32Mi' } } };
const NEVER_LISTENS = { args: ['--never'] };
const DROPPED = '439 function exited';

const remove = ({ namespace, pod }: Stage) => void kubectl(['delete', 'pod', '-n', namespace, pod, '--wait=false']);
/** Its pod is left to the proxy: the garbage collector might be quicker than the watch of functions, and the client sees 1011 then. */
const removeFunction = ({ namespace, pod }: Stage) =>
  void kubectl(['delete', 'wsf', '-n', namespace, pod.replace(/-slot-[0-9]+$/, ''), '--cascade=orphan', '--wait=false']);
const evicted = ({ namespace, pod }: Stage) => evict(namespace, pod);

/** The scenarios by the name of their row in contract.ts. */
export const NODE_SCENARIOS: Readonly<Record<string, NodeScenario>> = {
  memory_limit: { container: LITTLE_MEMORY, act: ({ socket }) => socket?.send('eat 200'), text: DROPPED },
  pod_evicted: { act: evicted, text: '439 pod evicted' },
  pod_deleted: { act: remove, text: DROPPED },
  'function_deleted by kubectl': { act: removeFunction, text: '438 function deleted' },
  'refused quota_exceeded': {
    objects: [{ apiVersion: 'v1', kind: 'ResourceQuota', metadata: { name: 'quota' }, spec: { hard: { pods: '0' } } }],
  },
  'refused image_pull_failed': { container: { image: 'localhost/none:1', imagePullPolicy: 'Never' } },
  'refused image_pull_timeout': { container: ({ port }) => ({ image: `127.0.0.1:${port}/stall/x:1` }), initTimeoutSeconds: 5 },
  'refused pod_rejected': { pod: { serviceAccountName: 'none' } },
  'refused memory_limit': { container: { ...LITTLE_MEMORY, args: ['--eat', '256'] } },
  'refused unschedulable': { pod: { nodeSelector: { no: 'such' } }, initTimeoutSeconds: 3 },
  'refused pod_start_timeout': {
    container: { volumeMounts: [{ name: 'c', mountPath: '/c' }] },
    pod: { volumes: [{ name: 'c', configMap: { name: 'none' } }] },
    initTimeoutSeconds: 4,
  },
  'refused api_unavailable': { away: true },
  'refused pod_deleted': { container: NEVER_LISTENS, act: remove },
  'refused function_deleted by kubectl': { container: NEVER_LISTENS, act: removeFunction },
  'refused pod_evicted': { container: NEVER_LISTENS, act: evicted },
};
