// `socketpod controller` as its operator starts it, and what a test asks of it: conditions, Events, statuses.
import type { Condition, WebSocketFunction } from '../../src/api/types.ts';
import type { KubeClient } from '../../src/kube/client.ts';
import { Heartbeat } from '../../src/kube/heartbeat.ts';
import type { TestApi } from './cluster.ts';
import { type NodeController, startController as start } from './fleet.ts';
import { functionObject } from './node.ts';
import { until } from './ports.ts';

/** A controller of which a test waits for the lead. */
export interface RunningController extends NodeController {
  /** Waits until it leads. */
  leads(): Promise<void>;
}

/** Starts it with this kubeconfig, its Leases in `default`. Resolves when it knows all. */
export async function startController(kubeconfig: string, args: readonly string[] = []): Promise<RunningController> {
  const started = await start(['--kubeconfig', kubeconfig, '--own-namespace', 'default', ...args]);
  const { child, lines } = started;
  const leads = () => lines.some(({ message }) => message.endsWith(' leads'));
  return {
    ...started,
    async leads() {
      await until('it leads', () => leads() || child.exitCode !== null, 30_000);
      if (!leads()) throw new Error('the controller ended before it led');
    },
  };
}

/** Functions on an API server, as their authors and operators see them. */
export class FunctionsOf {
  readonly #api: TestApi;

  constructor(api: TestApi) {
    this.#api = api;
  }

  /** Creates or changes one. */
  apply(namespace: string, name: string, spec: object = {}, pod: object = {}, container: object = {}): void {
    this.#api.kubectl(['apply', '-n', namespace, '-f', '-'], JSON.stringify(functionObject(name, container, spec, pod)));
  }

  delete(namespace: string, name: string): void {
    this.#api.kubectl(['delete', 'wsf', '-n', namespace, name]);
  }

  get(namespace: string, name: string): WebSocketFunction {
    return JSON.parse(this.#api.kubectl(['get', 'wsf', '-n', namespace, name, '-o', 'json']));
  }

  /** The condition of a type, as it is now. */
  condition(namespace: string, name: string, type: string): Condition | undefined {
    return this.get(namespace, name).status?.conditions?.find((one) => one.type === type);
  }

  /** Waits for a reason of a condition, of the newest generation, and gives the condition. */
  async reason(namespace: string, name: string, reason: string, type = 'Accepted', ms = 20_000): Promise<Condition> {
    let found: WebSocketFunction | undefined;
    const current = () => found?.status?.conditions?.find((one) => one.type === type);
    await until(
      `${type} of ${namespace}/${name} is ${reason}`,
      () => {
        found = this.get(namespace, name);
        return current()?.reason === reason && current()?.observedGeneration === found.metadata.generation;
      },
      ms,
    ).catch((error: Error) => {
      throw new Error(`${error.message}; it is ${JSON.stringify(found?.status)}`);
    });
    return current() as Condition;
  }

  /** The Events on one, as `Type Reason: message`. */
  events(namespace: string, name: string): string[] {
    const selector = `involvedObject.name=${name},involvedObject.kind=WebSocketFunction`;
    const { items } = JSON.parse(this.#api.kubectl(['get', 'events', '-n', namespace, '-o', 'json', '--field-selector', selector]));
    return items.map(({ type, reason, message }: { type: string; reason: string; message: string }) => `${type} ${reason}: ${message}`);
  }
}

/** Installs the definition on an API server and waits until it serves. */
export async function installDefinition(api: TestApi): Promise<void> {
  api.kubectl(['apply', '-f', 'crds/']);
  await until('the resource is served', () => api.kubectl(['api-resources']).includes('websocketfunctions'), 20_000);
}

/** The Lease of a proxy that does not run: functions are Ready until it is stopped. */
export async function playProxy(client: KubeClient, proxyId: string): Promise<Heartbeat> {
  const heartbeat = new Heartbeat({ client, namespace: 'default', proxyId, podName: 'played', podUid: undefined, log: () => {} });
  await heartbeat.start();
  return heartbeat;
}
