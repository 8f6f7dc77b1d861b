// What operators see of a running process: its metrics, and the admin port that serves them.
import { type Admin, type AdminSources, openAdmin } from '../admin.ts';
import type { Endpoint } from '../config.ts';
import { keyOf } from '../core/served.ts';
import { listenFault } from '../fault.ts';
import { type MetricSources, Metrics } from '../metrics/metrics.ts';
import type { Services } from '../proxy/services.ts';
import { VERSION } from '../version.ts';

/** A data plane, with what only a cluster has. */
export interface Operated extends Pick<MetricSources, 'pods' | 'pendingDeletes' | 'watches'> {
  readonly services: Services;
}

/** Pods and watches of a data plane that has none. */
export const NO_CLUSTER = { pods: () => [], pendingDeletes: () => 0, watches: () => [] };

/** The metrics of a data plane, which may be made later than they: it is asked for at the first scrape. */
export function metricsOf(operated: () => Operated): Metrics {
  const sources: MetricSources = {
    *connections() {
      for (const { fn, opened } of operated().services.registry.all()) yield { function: keyOf(fn), opened };
    },
    traffic: () => operated().services.registry.totals(),
    pods: () => operated().pods(),
    pendingDeletes: () => operated().pendingDeletes(),
    draining: () => !operated().services.gate.ready,
    watches: () => operated().watches(),
  };
  return new Metrics(sources, VERSION);
}

/** Opens the admin port of a data plane. Throws a UserError when it cannot be opened. */
export function openAdminPort(endpoint: Endpoint, operated: Operated, metrics: Metrics): Promise<Admin> {
  const { registry, gate } = operated.services;
  const connections = {
    *all() {
      for (const connection of registry.all()) yield connection.view();
    },
    end(id: string) {
      const connection = registry.get(id);
      connection?.end('closed_by_operator');
      return connection !== undefined;
    },
  };
  return openAdminAt(endpoint, { metrics, connections, notReady: () => (gate.ready ? undefined : 'draining') });
}

/** Opens an admin port. Throws a UserError when it cannot be opened. */
export function openAdminAt({ host, port }: Endpoint, sources: AdminSources): Promise<Admin> {
  return openAdmin({ host, port }, sources).catch((error) => {
    throw listenFault(error, { host, port }, '--admin');
  });
}
