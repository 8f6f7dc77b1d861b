// `socketpod proxy`: the data plane on a cluster. Functions and pods by watch, one pod a connection.
import { randomBytes } from 'node:crypto';
import { GROUP, PLURAL } from '../api/names.ts';
import type { Endpoint } from '../config.ts';
import { outcome, status } from '../core/outcome.ts';
import { urlsOf } from '../core/url.ts';
import { listenFault, UserError } from '../fault.ts';
import { connectKube, type KubeClient, KubeError } from '../kube/client.ts';
import { watchFunctions } from '../kube/functions.ts';
import { log } from '../log.ts';
import type { Observer } from '../proxy/record.ts';
import { listen } from '../proxy/server.ts';
import { createServices } from '../proxy/services.ts';
import { PodRuntime } from '../runtime/pods.ts';
import { readCeilings } from './ceilings.ts';
import { stopSignal } from './signals.ts';

/** The longest that the deletion of all pods may take at the end (ms). */
const STOP_MS = 30_000;

/** The options of `proxy`, as config.ts reads them. */
export interface ProxyOptions {
  readonly kubeconfig?: string;
  readonly namespace?: string;
  readonly listen: Endpoint;
  readonly ceilings?: string;
  readonly publicUrl?: string;
  readonly unschedulableGrace?: number;
}

/** Serves until SIGTERM or SIGINT. Throws a UserError for what the operator can mend. */
export async function proxy(options: ProxyOptions): Promise<void> {
  const ceilings = await readCeilings(options.ceilings);
  const client = connectKube(options.kubeconfig);
  const proxyId = randomBytes(5).toString('hex');
  const runtime = new PodRuntime({
    client,
    proxyId,
    namespace: options.namespace,
    unschedulableGraceMs: options.unschedulableGrace === undefined ? undefined : options.unschedulableGrace * 1000,
    log: (line) => log('warn', line),
  });
  const services = createServices(runtime, logObserver());
  const base = options.publicUrl ?? `ws://${options.listen.host}:${options.listen.port}`;
  const functions = watchFunctions(client, options.namespace, ceilings, {
    set: (fn) => {
      services.functions.set(fn);
      log('info', 'function', { function: `${fn.namespace}/${fn.name}`, urls: urlsOf(fn, base), problem: fn.problem });
    },
    gone: (key) => services.functions.delete(key),
    log: (line) => log('warn', line),
  });
  await functions.start().catch((error) => startFault(error, client));
  await runtime.ready().catch((error) => startFault(error, client));

  const { host, port } = options.listen;
  const server = await listen({ host, port }, services).catch((error) => {
    throw listenFault(error, host, port);
  });
  log('info', 'listening', { host, port: server.port, proxy: proxyId });

  await stopSignal();
  log('info', 'stopping', { connections: services.registry.size });
  void server.close();
  functions.stop();
  services.registry.endAll('drained');
  await Promise.race([stopped(services.registry.empty(), runtime), stopSignal()]);
  await client.close();
}

async function stopped(empty: Promise<void>, runtime: PodRuntime): Promise<void> {
  await empty;
  await runtime.close(STOP_MS);
}

/** What keeps a proxy from its first look at the cluster, in one line with the remedy. */
function startFault(error: unknown, client: KubeClient): never {
  if (!(error instanceof KubeError)) throw error;
  const { status: code, message } = error;
  if (code === 0) throw new UserError(`the API server ${client.server} cannot be reached: ${message}; see --kubeconfig`);
  if (code === 401)
    throw new UserError(`the API server ${client.server} does not know this kubeconfig's user; log in again or see --kubeconfig`);
  if (code === 403) throw new UserError(`this kubeconfig may not do what a proxy does: ${message}`);
  if (code === 404) throw new UserError(`${PLURAL}.${GROUP} is not installed; run: socketpod crd | kubectl apply -f -`);
  throw new UserError(`the API server ${client.server} answered ${code}: ${message}`);
}

/** One line when a connection opens, one when it ends. */
function logObserver(): Observer {
  return {
    opened: (opened) => log('info', 'open', { ...opened }),
    violated: () => {}, // counted; the line of the end tells of those that closed
    ended: (record) => {
      const { reason, detail, ...rest } = record;
      log('info', 'end', { code: outcome(reason).code, reason, status: status(reason), ...rest, detail });
    },
  };
}
