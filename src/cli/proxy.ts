// `socketpod proxy`: the data plane on a cluster. Functions and pods by watch, one pod a connection.
import { randomBytes } from 'node:crypto';
import { hostname } from 'node:os';
import type { Endpoint } from '../config.ts';
import { keyOf } from '../core/served.ts';
import { urlsOf } from '../core/url.ts';
import { connectKube } from '../kube/client.ts';
import { FunctionEvents } from '../kube/events.ts';
import { Heartbeat } from '../kube/heartbeat.ts';
import { Proxies } from '../kube/proxies.ts';
import { ServedFunctions } from '../kube/served-functions.ts';
import type { Namespaces } from '../kube/watches.ts';
import { log } from '../log.ts';
import { tellAll } from '../proxy/record.ts';
import { type Capacity, createServices } from '../proxy/services.ts';
import { PodRuntime } from '../runtime/pods.ts';
import { baseUrl, type DataPortOptions, readDataPorts } from './data-ports.ts';
import { metricsOf, type Operated, openAdminPort } from './operate.ts';
import { proxyReport } from './proxy-report.ts';
import { readCeilings, readHostRules } from './rules.ts';
import { stopSignal } from './signals.ts';
import { startFault } from './start-fault.ts';

/** The longest that the deletion of all pods may take at the end (ms). */
const STOP_MS = 30_000;

/** The options of `proxy`, as config.ts reads them. */
export interface ProxyOptions extends Capacity, DataPortOptions {
  readonly kubeconfig?: string;
  readonly namespace: Namespaces;
  readonly ownNamespace?: string;
  readonly podName?: string;
  readonly podUid?: string;
  readonly admin: Endpoint;
  readonly ceilings?: string;
  readonly hostRules?: string;
  readonly publicUrl?: string;
  readonly unschedulableGrace?: number;
  readonly podDefaults: boolean;
  /** Seconds. */
  readonly drainDelay: number;
  readonly drainTime: number;
}

/** Serves until SIGTERM or SIGINT. Throws a UserError for what the operator can mend. */
export async function proxy(options: ProxyOptions): Promise<void> {
  const openPorts = await readDataPorts(options, {
    changed: (line) => log('info', line),
    problem: (line) => log('warn', line),
  });
  const rules = { ceilings: await readCeilings(options.ceilings), hostRules: await readHostRules(options.hostRules) };
  const metrics = metricsOf(() => operated);
  const client = connectKube(options.kubeconfig, metrics);
  const proxyId = randomBytes(5).toString('hex');
  const warn = (line: string) => log('warn', line);
  const events = new FunctionEvents({ client, proxyId, log: warn });
  const ours = { client, namespace: options.ownNamespace ?? client.namespace, log: warn };
  const proxies = new Proxies({ ...ours, changed: () => runtime.rebalance() });
  const heartbeat = new Heartbeat({
    ...ours,
    proxyId,
    podName: options.podName ?? hostname(),
    podUid: options.podUid,
    failed: () => proxies.doubt(),
  });
  const runtime = new PodRuntime({
    client,
    proxyId,
    namespaces: options.namespace,
    podDefaults: options.podDefaults,
    sharing: () => proxies.sharing(),
    warmFailed: (fn, { reason, detail, lastWords = '' }) =>
      events.tell({ function: keyOf(fn), functionUid: fn.uid, reason, detail: `a warm pod: ${detail}`, lastWords }),
    unschedulableGraceMs: options.unschedulableGrace === undefined ? undefined : options.unschedulableGrace * 1000,
    observer: metrics,
    log: warn,
  });
  const report = proxyReport(events);
  const services = createServices(runtime, tellAll(metrics, report), options);
  const base = baseUrl(options.publicUrl, options.listen, options.tlsListen);
  const functions = new ServedFunctions(client, options.namespace, rules, {
    set: (fn) => {
      services.functions.set(fn);
      runtime.serve(fn);
      const { uid, generation, problem } = fn;
      log('info', 'function', { function: keyOf(fn), uid, generation, urls: urlsOf(fn, base), problem });
    },
    gone: (key) => {
      services.functions.delete(key);
      runtime.forget(key);
    },
    log: warn,
  });
  const operated: Operated = {
    services,
    pods: () => runtime.pods(),
    pendingDeletes: () => runtime.pendingDeletes,
    watches: () => [functions, runtime.watched, proxies],
  };
  await functions.start().catch((error) => startFault(error, client, 'a proxy'));
  await heartbeat.start().catch((error) => startFault(error, client, 'a proxy')); // before there can be a pod
  const giveUp = async (error: unknown) => {
    await runtime.close(STOP_MS);
    await heartbeat.stop();
    return startFault(error, client, 'a proxy');
  };
  await proxies.start().catch(giveUp);
  await runtime.ready().catch(giveUp);

  const admin = await openAdminPort(options.admin, operated, metrics).catch(giveUp);
  const ports = await openPorts(services).catch(giveUp);
  const stopped = stopSignal(); // heard from before anybody is told that it listens
  log('info', 'listening', {
    port: ports.plain?.port,
    tlsPort: ports.tls?.port,
    admin: admin.port,
    proxy: proxyId,
    leases: ours.namespace,
  });

  await stopped;
  heartbeat.drain();
  log('info', 'draining', { connections: services.registry.size, delay: options.drainDelay, time: options.drainTime });
  runtime.drain();
  const hurry = new AbortController();
  const times = { delayMs: options.drainDelay * 1000, drainMs: options.drainTime * 1000 };
  const drained = services.gate.drain(services.registry, times, hurry.signal);
  void Promise.race([drained, stopSignal()]).then(() => hurry.abort()); // a second signal closes all connections at once
  await drained;
  ports.close();
  functions.stop();
  await Promise.race([runtime.close(STOP_MS), stopSignal()]);
  proxies.stop();
  await heartbeat.stop(); // last: what is left now is an orphan
  await client.close();
  admin.close();
}
