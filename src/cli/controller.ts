// `socketpod controller`: the control plane on a cluster. It leads or stands by; it never touches a socket.
import { randomBytes } from 'node:crypto';
import { hostname } from 'node:os';
import type { Endpoint } from '../config.ts';
import { Controller } from '../controller/controller.ts';
import type { Range } from '../core/address.ts';
import { connectKube } from '../kube/client.ts';
import type { Namespaces } from '../kube/watches.ts';
import { log } from '../log.ts';
import { ControllerMetrics } from '../metrics/controller-metrics.ts';
import { VERSION } from '../version.ts';
import { openAdminAt } from './operate.ts';
import { readCeilings, readHostRules } from './rules.ts';
import { stopSignal } from './signals.ts';
import { startFault } from './start-fault.ts';

/** The options of `controller`, as config.ts reads them. */
export interface ControllerCommandOptions {
  readonly kubeconfig?: string;
  readonly namespace: Namespaces;
  readonly ownNamespace?: string;
  readonly podName?: string;
  readonly admin: Endpoint;
  readonly ceilings?: string;
  readonly hostRules?: string;
  readonly publicUrl?: string;
  readonly podDefaults: boolean;
  readonly networkPolicy: boolean;
  readonly denyCidrs?: readonly Range[];
  readonly proxySelector: Readonly<Record<string, string>>;
}

/** Leads or stands by until SIGTERM or SIGINT. Throws a UserError for what the operator can mend. */
export async function controller(options: ControllerCommandOptions): Promise<void> {
  const rules = { ceilings: await readCeilings(options.ceilings), hostRules: await readHostRules(options.hostRules) };
  const metrics = new ControllerMetrics(() => made, VERSION);
  const client = connectKube(options.kubeconfig, metrics);
  const ownNamespace = options.ownNamespace ?? client.namespace;
  const identity = `${options.podName ?? hostname()}-${randomBytes(5).toString('hex')}`;
  const made = new Controller({
    client,
    namespaces: options.namespace,
    ownNamespace,
    identity,
    rules,
    podDefaults: options.podDefaults,
    publicUrl: options.publicUrl,
    policies: options.networkPolicy ? { proxyLabels: options.proxySelector, denied: options.denyCidrs ?? [] } : undefined,
    observer: metrics,
    log: (line) => log('warn', line),
    tell: (line) => log('info', line),
  });
  await made.start().catch((error) => startFault(error, client, 'a controller'));
  const stop = new AbortController();
  const notReady = () => (stop.signal.aborted ? 'stopping' : undefined);
  const admin = await openAdminAt(options.admin, { metrics, notReady });
  const stopped = stopSignal(); // heard from before anybody is told that it listens
  log('info', 'listening', { admin: admin.port, identity, leases: ownNamespace });
  const ended = made.run(stop.signal);
  await Promise.race([stopped, ended]);
  stop.abort();
  await Promise.race([ended, stopSignal()]); // a second signal ends it at once
  await client.close();
  admin.close();
}
