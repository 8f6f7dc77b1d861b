// The proxies of this installation, by a watch of the Leases in our namespace: who lives, who shares the warm pods, who is dead.
import type { V1Lease } from '@kubernetes/client-node';
import { ANNOTATION_DRAINING, LABEL_LEASE, PROXY_LEASE_PREFIX } from '../api/names.ts';
import { LIVENESS_TIMES, Liveness, type LivenessTimes } from '../core/liveness.ts';
import type { KubeClient } from './client.ts';
import { leasePath } from './lease.ts';
import { Watch } from './watch.ts';

/** What the proxies are watched with. */
export interface ProxiesOptions {
  readonly client: KubeClient;
  /** Where the Leases are. */
  readonly namespace: string;
  readonly times?: LivenessTimes;
  /** A fault that mends itself, for the log. */
  log(line: string): void;
  /** `sharing()` has changed. */
  changed(): void;
}

/** Everybody's Leases, and what they say of the proxies. */
export class Proxies {
  readonly #options: ProxiesOptions;
  readonly #watch: Watch<V1Lease>;
  readonly #liveness: Liveness;
  /** Ids of the proxies that do not drain, the dead ones too while they have a Lease. */
  readonly #members = new Set<string>();
  #sharing: readonly string[] = [];
  #started = false;

  constructor(options: ProxiesOptions) {
    this.#options = options;
    const { times = LIVENESS_TIMES } = options;
    this.#liveness = new Liveness(times);
    this.#watch = new Watch<V1Lease>(options.client, {
      path: leasePath(options.namespace),
      query: { labelSelector: LABEL_LEASE },
      silentMs: times.silentMs, // somebody renews all the time: this process does
      set: (lease) => this.#seen(lease),
      gone: (lease) => this.#gone(lease),
      fault: (error) => {
        this.#liveness.doubt();
        options.log(`the watch of Leases was cut: ${error.message}`);
      },
    });
  }

  /** Resolves when all Leases are known. Rejects with a KubeError. */
  async start(): Promise<void> {
    await this.#watch.start();
    this.#started = true;
    this.#update();
  }

  /** Nothing is called after this. */
  stop(): void {
    this.#watch.stop();
  }

  /** Ids of the proxies that live and do not drain, sorted: they share the warm pods. Empty: functions are not Ready. */
  sharing(): readonly string[] {
    return this.#sharing;
  }

  /**
   * Is this proxy dead, by 30 s of a working API without a sign of life?
   * @param podSeenAt when a pod of it was first seen, for a Lease that was never seen (performance.now(), ms)
   */
  isDead(id: string, podSeenAt: number): boolean {
    return this.#liveness.isDead(id, podSeenAt);
  }

  /** A Lease call of this process failed: silence of others proves nothing for now. */
  doubt(): void {
    this.#liveness.doubt();
  }

  /** All Leases of Socketpod, the controllers' too, by `namespace/name`. */
  get leases(): ReadonlyMap<string, V1Lease> {
    return this.#watch.objects;
  }

  /** As in `leases`, for the metrics. */
  get resource(): string {
    return this.#watch.resource;
  }

  /** When the watch last told something, in ms since 1970. */
  get lastEventAt(): number {
    return this.#watch.lastEventAt;
  }

  #seen(lease: V1Lease): void {
    const [id, now] = [idOf(lease), performance.now()];
    this.#liveness.seen(id, renewalOf(lease), now);
    if (proxyOf(lease) !== undefined && lease.metadata?.annotations?.[ANNOTATION_DRAINING] === undefined) this.#members.add(id);
    else this.#members.delete(id);
    this.#update();
  }

  /** A proxy that ends drains first. Another's Lease was deleted by somebody: until it is dead it may make it again. */
  #gone(lease: V1Lease): void {
    this.#liveness.gone(idOf(lease), performance.now());
    this.#update();
  }

  #update(): void {
    if (!this.#started) return;
    const living = [...this.#members].filter((id) => !this.isDead(id, performance.now()));
    for (const id of this.#members) if (!living.includes(id) && !this.#hasLease(id)) this.#members.delete(id);
    const sharing = living.sort();
    if (sharing.join() === this.#sharing.join()) return;
    this.#sharing = sharing;
    this.#options.changed();
  }

  #hasLease(id: string): boolean {
    return this.leases.has(`${this.#options.namespace}/${PROXY_LEASE_PREFIX}${id}`);
  }
}

/** The id of the proxy whose Lease this is; undefined: it is no proxy's. */
export function proxyOf({ metadata }: V1Lease): string | undefined {
  const { name = '', labels = {} } = metadata ?? {};
  if (labels[LABEL_LEASE] !== 'proxy' || !name.startsWith(PROXY_LEASE_PREFIX)) return undefined;
  return name.slice(PROXY_LEASE_PREFIX.length);
}

/** What a Lease is known by: the proxy's id, else its whole name, which is no id. */
function idOf(lease: V1Lease): string {
  return proxyOf(lease) ?? lease.metadata?.name ?? '';
}

/** Another after each renewal, and for a Lease that was made again. */
function renewalOf({ metadata, spec }: V1Lease): string {
  return `${metadata?.uid} ${spec?.renewTime}`;
}
