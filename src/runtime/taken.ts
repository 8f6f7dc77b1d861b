// Addresses at which no function pod can be, so that nothing that claims one is ever dialled: the API server's and the nodes'.
import { lookup } from 'node:dns/promises';
import type { V1Pod } from '@kubernetes/client-node';
import { hostAddresses } from '../core/pod-status.ts';

/** The addresses that are known to be somebody else's. */
export class TakenAddresses {
  readonly #pods: ReadonlyMap<string, V1Pod>;
  #apiServer: readonly string[] = [];

  /** @param pods all function pods, as the watch has them: they name their nodes' addresses */
  constructor(pods: ReadonlyMap<string, V1Pod>) {
    this.#pods = pods;
  }

  /** Looks up the API server, by its URL. */
  async find(server: string): Promise<void> {
    const host = URL.parse(server)?.hostname.replace(/^\[|\]$/g, '') ?? '';
    const found = await lookup(host, { all: true }).catch(() => []); // who cannot be found cannot be dialled by name either
    this.#apiServer = found.map(({ address }) => address);
  }

  /** All of them, now. */
  all(): string[] {
    return [...new Set([...this.#apiServer, ...[...this.#pods.values()].flatMap((pod) => hostAddresses(pod))])];
  }
}
