// Metrics of a proxy that the test itself plays: what it would read at a scrape is plain data here.
import type { Reason } from '../../src/core/outcome.ts';
import { Metrics } from '../../src/metrics/metrics.ts';
import { type ConnectionRecord, NOTHING_HAPPENED } from '../../src/proxy/record.ts';
import type { Traffic } from '../../src/proxy/traffic.ts';

/** The state of the proxy, for the test to change. */
export class Played {
  connections: { function: string; opened: boolean }[] = [];
  pods: { function: string; state: string }[] = [];
  watches: { resource: string; lastEventAt: number }[] = [];
  readonly traffic = new Map<string, Traffic>();
  pendingDeletes = 0;
  draining = false;
  readonly metrics: Metrics;

  constructor(version = '1.2.3') {
    const sources = {
      connections: () => this.connections,
      traffic: () => this.traffic,
      pods: () => this.pods,
      pendingDeletes: () => this.pendingDeletes,
      draining: () => this.draining,
      watches: () => this.watches,
    };
    this.metrics = new Metrics(sources, version);
  }

  /** The end of a connection; with `openMs` one that had opened. */
  end(fn: string, reason: Reason, openMs?: number): void {
    const opened = openMs === undefined ? {} : { handshakeMs: 100, openMs, httpStatus: 101 };
    const record: ConnectionRecord = { ...NOTHING_HAPPENED, id: 'c', function: fn, reason, httpStatus: 503, clientAddress: '', ...opened };
    this.metrics.ended(record);
  }

  open(fn: string, start: 'cold' | 'warm' = 'cold'): void {
    const stages = { admit: 1, create: 20, schedule: 30, container: 40, port: 50, handshake: 9 };
    this.metrics.opened({ id: 'c', function: fn, backend: 'pod', handshakeMs: 150, start, stages });
  }

  /** Everything that can be counted for a function, once. */
  everything(fn: string): void {
    this.metrics.functionServed(fn, true);
    this.connections.push({ function: fn, opened: true }, { function: fn, opened: false });
    this.pods.push({ function: fn, state: 'connected' });
    this.traffic.set(fn, { up: { messages: 3, bytes: 50 }, down: { messages: 4, bytes: 60 }, throttledMs: 1500 });
    this.open(fn);
    this.end(fn, 'normal_closure', 61_000);
    this.metrics.violated({ function: fn, limit: 'bytes_per_second', code: 429, action: 'throttle' });
    this.metrics.podStarted(fn, 'cold', 'ready');
    this.metrics.podGone(fn, 62.5);
  }

  /** Everything that can be counted for no function, once. */
  everythingElse(): void {
    this.pendingDeletes = 2;
    this.draining = true;
    this.watches = [{ resource: 'pods', lastEventAt: 1_700_000_000_500 }];
    this.metrics.kubeCalled('create', 'pods', 201, 0.03);
    this.metrics.watchRestarted('pods', 'expired');
    this.metrics.socketError('malformed');
  }
}

/** The samples of a text by their series, as `name{label="value"}`. Throws at a line that is none. */
export function samples(text: string): Map<string, number> {
  return new Map(
    text
      .split('\n')
      .filter((line) => line !== '' && !line.startsWith('#'))
      .map((line) => {
        const match = /^([a-z0-9_]+(?:\{.*\})?) (\S+)$/.exec(line);
        if (!match) throw new Error(`not a sample: ${line}`);
        return [match[1] ?? '', Number(match[2])];
      }),
  );
}
