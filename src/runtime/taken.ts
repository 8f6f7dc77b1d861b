// Addresses at which no function pod can be, so that nothing that claims one is ever dialled: the API server's and the nodes'.
import { lookup } from 'node:dns/promises';
import type { V1Pod } from '@kubernetes/client-node';
import { hostAddresses } from '../core/pod-status.ts';

/** The addresses that are known to be somebody else's. Function pods name their nodes'. */
export class TakenAddresses {
  #apiServer: readonly string[] = [];
  /** What each pod names, by `namespace/name`. */
  readonly #named = new Map<string, readonly string[]>();
  /** How many pods name each address: a node's may be a pod's one day, when the node is gone. */
  readonly #counts = new Map<string, number>();

  /** Looks up the API server, by its URL. */
  async find(server: string): Promise<void> {
    const host = URL.parse(server)?.hostname.replace(/^\[|\]$/g, '') ?? '';
    const found = await lookup(host, { all: true }).catch(() => []); // who cannot be found cannot be dialled by name either
    this.#apiServer = found.map(({ address }) => address);
  }

  /** A function pod as it is now; undefined: it is gone. */
  see(key: string, pod: V1Pod | undefined): void {
    const before = this.#named.get(key) ?? [];
    const now = pod ? hostAddresses(pod) : [];
    if (now.join() === before.join()) return;
    for (const address of now) this.#counts.set(address, (this.#counts.get(address) ?? 0) + 1);
    for (const address of before) {
      const left = (this.#counts.get(address) ?? 0) - 1;
      if (left > 0) this.#counts.set(address, left);
      else this.#counts.delete(address);
    }
    if (now.length > 0) this.#named.set(key, now);
    else this.#named.delete(key);
  }

  /** All of them, now. */
  all(): string[] {
    return [...new Set([...this.#apiServer, ...this.#counts.keys()])];
  }
}
