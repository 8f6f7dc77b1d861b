// One collection in all namespaces, or in each of a list of namespaces (an account that has Roles and no ClusterRole), as one cache.
import type { KubeClient } from './client.ts';
import { Watch, type Watched, type WatchOptions } from './watch.ts';

/** Which namespaces; empty: all. */
export type Namespaces = readonly string[];

/** What is watched, and who hears of it. */
export interface WatchesOptions<T extends Watched> extends Omit<WatchOptions<T>, 'path'> {
  /** Group and version, as in `/api/v1`. */
  readonly base: string;
  /** Plural name, as in `pods`. */
  readonly resource: string;
  readonly namespaces: Namespaces;
}

/** A cache of one collection that keeps itself current. */
export class Watches<T extends Watched> {
  readonly #watches: readonly Watch<T>[];
  readonly resource: string;

  constructor(client: KubeClient, { base, resource, namespaces, ...options }: WatchesOptions<T>) {
    const paths = namespaces.length === 0 ? [`${base}/${resource}`] : namespaces.map((name) => `${base}/namespaces/${name}/${resource}`);
    const objects = new Map<string, T>(); // no two namespaces have a key in common
    this.#watches = paths.map((path) => new Watch<T>(client, { ...options, path }, objects));
    this.resource = resource;
    this.objects = objects;
  }

  /** All objects, by `namespace/name`. */
  readonly objects: ReadonlyMap<string, T>;

  /** When the namespace that has been silent the longest last told something, in ms since 1970; 0 before all first lists. */
  get lastEventAt(): number {
    return Math.min(...this.#watches.map(({ lastEventAt }) => lastEventAt));
  }

  /** See Watch.start. */
  async start(): Promise<void> {
    await Promise.all(this.#watches.map((watch) => watch.start()));
  }

  /** No call of `set` or `gone` comes after this. */
  stop(): void {
    for (const watch of this.#watches) watch.stop();
  }
}
