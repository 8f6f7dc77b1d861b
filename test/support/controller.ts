// `socketpod controller` as its operator starts it, and what a test asks of it: conditions, Events, statuses.
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Condition, WebSocketFunction } from '../../src/api/types.ts';
import type { KubeClient } from '../../src/kube/client.ts';
import { Heartbeat } from '../../src/kube/heartbeat.ts';
import type { TestApi } from './cluster.ts';
import { functionObject, type LogLine } from './node.ts';
import { until } from './ports.ts';

const MAIN = join(import.meta.dirname, '..', '..', 'src', 'main.ts');

/** A running `socketpod controller`. */
export interface RunningController {
  readonly child: ChildProcess;
  readonly adminPort: number;
  readonly lines: LogLine[];
  /** Waits until it leads. */
  leads(): Promise<void>;
  /** By SIGTERM; gives the exit code. */
  stop(): Promise<number | null>;
}

/** Starts it with this kubeconfig, its Leases in `default`. Resolves when it listens. */
export async function startController(kubeconfig: string, args: readonly string[] = []): Promise<RunningController> {
  const given = ['--kubeconfig', kubeconfig, '--own-namespace', 'default', '--admin', '127.0.0.1:0', ...args];
  const child = spawn(process.execPath, [MAIN, 'controller', ...given], { stdio: ['ignore', 'pipe', 'inherit'] });
  const lines: LogLine[] = [];
  createInterface({ input: child.stdout }).on('line', (line) => lines.push(JSON.parse(line)));
  const said = async (what: string, fits: (line: LogLine) => boolean) => {
    await until(what, () => lines.some(fits) || child.exitCode !== null, 30_000);
    const line = lines.find(fits);
    if (!line) throw new Error(`the controller ended before ${what}`);
    return line;
  };
  const { admin } = await said('it listens', ({ message }) => message === 'listening');
  return {
    child,
    adminPort: Number(admin),
    lines,
    leads: async () => void (await said('it leads', ({ message }) => message.endsWith(' leads'))),
    async stop() {
      if (child.exitCode !== null || child.signalCode !== null) return child.exitCode;
      child.kill('SIGTERM');
      await once(child, 'exit');
      return child.exitCode;
    },
  };
}

/** Functions on an API server, as their authors and operators see them. */
export class FunctionsOf {
  readonly #api: Pick<TestApi, 'kubectl'>;

  constructor(api: Pick<TestApi, 'kubectl'>) {
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
