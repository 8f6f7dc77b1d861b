// The election between the controllers: stand by, lead, stand by again. A stand-by asks the API server nothing: it reads the Lease in
// the watched ones. The API server lets only one write on a state of the Lease, so a watch that lags behind makes no second leader.
import { setTimeout as sleep } from 'node:timers/promises';
import type { V1Lease } from '@kubernetes/client-node';
import { CONTROLLER_LEASE, LABEL_LEASE } from '../api/names.ts';
import { ELECTION_TIMES, type ElectionTimes, leadsFor, newerLease, type SeenLease, takeIn } from '../core/election.ts';
import { isConflict, isNotFound, type KubeClient, KubeError } from './client.ts';
import { createLease, getLease, microTime, patchLease } from './lease.ts';

/** How often a stand-by looks at the watched Lease, in memory (ms). */
const LOOK_MS = 200;

/** What an election is made with. */
export interface ElectionOptions {
  readonly client: KubeClient;
  /** Where the Lease is. */
  readonly namespace: string;
  /** Unique to this process. */
  readonly identity: string;
  /** Those of `Proxies`, by `namespace/name`. */
  readonly leases: ReadonlyMap<string, V1Lease>;
  readonly times?: ElectionTimes;
  /** Who leads, and faults that mend themselves. */
  log(line: string): void;
  /** A call failed: see Proxies.doubt. */
  failed?(): void;
  /** ms of a clock that only goes forward; default performance.now. */
  now?(): number;
}

/** One candidate. */
export class Election {
  readonly #options: ElectionOptions;
  readonly #times: ElectionTimes;
  #seen: SeenLease | undefined;
  #transitions = 0;
  /** When the last renewal that succeeded was sent; undefined: another leads, or nobody. */
  #askedAt: number | undefined;
  #failing = false;

  constructor(options: ElectionOptions) {
    this.#options = options;
    this.#times = options.times ?? ELECTION_TIMES;
  }

  /** May this process act as the leader, at this moment? */
  get leading(): boolean {
    return this.#leadsFor() > 0;
  }

  /**
   * Stands by, and leads whenever it can, until `stop`; resolves when the Lease is released.
   * @param lead the work of a leader; it must end soon after its signal was aborted: nothing is done meanwhile
   */
  async run(lead: (over: AbortSignal) => Promise<void>, stop: AbortSignal): Promise<void> {
    while (!stop.aborted) {
      await this.#standBy(stop);
      if (this.leading) await this.#lead(lead, stop);
    }
  }

  /** Resolves when this process leads, or at `stop`. */
  async #standBy(stop: AbortSignal): Promise<void> {
    while (!stop.aborted) {
      this.#look();
      const waitMs = takeIn(this.#seen, this.#options.identity, this.#now(), this.#times);
      if (waitMs === 0 && (await this.#attempt(this.#times.deadlineMs)) === 'held') return;
      await pause(waitMs === 0 ? this.#retryMs() : Math.min(waitMs, LOOK_MS), stop);
    }
  }

  async #lead(lead: (over: AbortSignal) => Promise<void>, stop: AbortSignal): Promise<void> {
    this.#options.log(`${this.#options.identity} leads`);
    const lost = new AbortController();
    const ended = new AbortController();
    const renewing = this.#renewUntil(AbortSignal.any([stop, ended.signal])).finally(() => lost.abort());
    try {
      if (!stop.aborted) await lead(AbortSignal.any([stop, lost.signal]));
    } finally {
      ended.abort();
      await renewing; // one write at a time
      await this.#release();
    }
  }

  /** Renews until the signal is aborted, another leads, or the deadline has passed. */
  async #renewUntil(end: AbortSignal): Promise<void> {
    let waitMs = this.#retryMs();
    for (;;) {
      await pause(Math.min(waitMs, this.#leadsFor()), end);
      if (end.aborted) return;
      const leftMs = this.#leadsFor();
      const result = leftMs > 0 ? await this.#attempt(leftMs) : 'failed';
      if (result === 'taken' || !this.leading) {
        this.#askedAt = undefined;
        return this.#options.log(`${this.#options.identity} leads no more`);
      }
      waitMs = result === 'held' ? this.#retryMs() : this.#retryMs() / 4;
    }
  }

  /** Writes our name into the Lease as it was last seen. `taken`: it is another's. */
  async #attempt(timeoutMs: number): Promise<'held' | 'taken' | 'failed'> {
    const askedAt = this.#now();
    try {
      const lease = await this.#write(this.#options.identity, timeoutMs);
      this.#note(lease);
      this.#askedAt = askedAt;
      this.#failing = false;
      return 'held';
    } catch (error) {
      if (isConflict(error) || isNotFound(error)) return this.#readAgain();
      return this.#fault(error);
    }
  }

  /** The Lease is not as it was last seen: what is it now? */
  async #readAgain(): Promise<'taken' | 'failed'> {
    try {
      const lease = await getLease(this.#options.client, this.#options.namespace, CONTROLLER_LEASE);
      if (lease) this.#note(lease);
      else this.#seen = undefined;
    } catch (error) {
      return this.#fault(error);
    }
    const holder = this.#seen?.holder ?? '';
    return holder === '' || holder === this.#options.identity ? 'failed' : 'taken';
  }

  #fault(error: unknown): 'failed' {
    if (!(error instanceof KubeError)) throw error;
    this.#options.failed?.();
    if (!this.#failing) this.#options.log(`the Lease ${CONTROLLER_LEASE} cannot be written: ${error.message}`);
    this.#failing = true;
    return 'failed';
  }

  async #release(): Promise<void> {
    const held = this.#askedAt !== undefined;
    this.#askedAt = undefined;
    if (!held) return;
    try {
      this.#note(await this.#write('', this.#times.deadlineMs));
    } catch (error) {
      this.#options.log(`the Lease ${CONTROLLER_LEASE} cannot be released: ${(error as Error).message}`);
    }
  }

  #write(holder: string, timeoutMs: number): Promise<V1Lease> {
    const { client, namespace } = this.#options;
    const taking = holder !== '' && this.#seen?.holder !== holder;
    const spec = {
      holderIdentity: holder,
      leaseDurationSeconds: Math.ceil(this.#times.leaseMs / 1000),
      renewTime: microTime(),
      ...(taking ? { acquireTime: microTime(), leaseTransitions: this.#transitions + 1 } : {}),
    } as object; // times are text, where the type says Date
    const metadata = { namespace, name: CONTROLLER_LEASE, labels: { [LABEL_LEASE]: 'controller' } };
    if (!this.#seen) return createLease(client, { metadata, spec }, timeoutMs);
    return patchLease(client, { metadata: { ...metadata, resourceVersion: this.#seen.version }, spec }, timeoutMs);
  }

  #look(): void {
    const lease = this.#options.leases.get(`${this.#options.namespace}/${CONTROLLER_LEASE}`);
    if (lease) this.#note(lease);
  }

  #note({ metadata, spec }: V1Lease): void {
    const state = { version: metadata?.resourceVersion ?? '0', holder: spec?.holderIdentity ?? '', seenAt: this.#now() };
    this.#seen = newerLease(this.#seen, state);
    if (this.#seen === state) this.#transitions = spec?.leaseTransitions ?? 0;
  }

  #leadsFor(): number {
    return this.#askedAt === undefined ? 0 : leadsFor(this.#askedAt, this.#now(), this.#times);
  }

  #retryMs(): number {
    return this.#times.retryMs * (0.8 + 0.4 * Math.random());
  }

  #now(): number {
    return this.#options.now?.() ?? performance.now();
  }
}

async function pause(ms: number, signal: AbortSignal): Promise<void> {
  await sleep(ms, undefined, { signal }).catch(() => {}); // aborted: the caller looks
}
