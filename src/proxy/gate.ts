// How a proxy stops (contract part 9): it says that it is not ready, lets load balancers notice, takes no new connections, lets the open
// ones come to their end, and closes what is left, spread over the last seconds.
import { setTimeout as sleep } from 'node:timers/promises';
import { drainedAfter } from '../core/drain.ts';
import type { Registered, Registry } from './registry.ts';

/** How long each phase of a drain takes, in ms. */
export interface DrainTimes {
  /** New connections are still taken while load balancers notice. */
  readonly delayMs: number;
  /** Then, open connections may go on for this long. */
  readonly drainMs: number;
}

/** What a proxy takes at present. */
export class Gate {
  /** Load balancers may send connections here. */
  ready = true;
  /** New connections are taken. */
  open = true;

  /**
   * Drains. Resolves when no connection is left.
   * @param hurry aborted: whatever phase it is, all connections are closed now
   */
  async drain(registry: Registry, { delayMs, drainMs }: DrainTimes, hurry: AbortSignal): Promise<void> {
    this.ready = false;
    await sleep(delayMs, undefined, { signal: hurry }).catch(() => {}); // aborted: in a hurry
    this.open = false;
    const timers = [...registry.all()].map((connection) => setTimeout(() => end(connection), drainedAfter(drainMs, Math.random())));
    const endAll = () => {
      for (const connection of [...registry.all()]) end(connection);
    };
    hurry.addEventListener('abort', endAll);
    if (hurry.aborted) endAll();
    await registry.empty();
    for (const timer of timers) clearTimeout(timer);
    hurry.removeEventListener('abort', endAll);
  }
}

function end(connection: Registered): void {
  connection.end(connection.opened ? 'drained' : 'draining');
}
