// Where the API server is, as pods see it: the addresses of its Service and of the EndpointSlices behind it, by watch.
import type { V1EndpointSlice, V1Service } from '@kubernetes/client-node';
import type { KubeClient } from '../kube/client.ts';
import { Watch } from '../kube/watch.ts';

/** The namespace and name of both (Kubernetes, "Accessing the API from a Pod"). */
const NAMESPACE = 'default';
const NAME = 'kubernetes';

/** What it is watched with. */
export interface ApiAddressesOptions {
  readonly client: KubeClient;
  changed(): void;
  log(line: string): void;
}

/** All addresses of the API server. */
export class ApiAddresses {
  readonly #slices: Watch<V1EndpointSlice>;
  readonly #services: Watch<V1Service>;

  constructor({ client, changed, log }: ApiAddressesOptions) {
    const common = (resource: string) => ({
      query: { fieldSelector: `metadata.name=${NAME}` },
      set: changed,
      gone: changed,
      fault: (error: Error) => log(`the watch of ${resource} was cut: ${error.message}`),
    });
    const inDefault = (base: string, resource: string) => `${base}/namespaces/${NAMESPACE}/${resource}`;
    this.#slices = new Watch(client, { ...common('endpointslices'), path: inDefault('/apis/discovery.k8s.io/v1', 'endpointslices') });
    this.#services = new Watch(client, { ...common('services'), path: inDefault('/api/v1', 'services') });
  }

  /** Resolves when they are known. Rejects with a KubeError. */
  async start(): Promise<void> {
    await Promise.all([this.#slices.start(), this.#services.start()]);
  }

  stop(): void {
    this.#slices.stop();
    this.#services.stop();
  }

  get watches(): readonly { readonly resource: string; readonly lastEventAt: number }[] {
    return [this.#slices, this.#services];
  }

  /** All of them, sorted. */
  all(): string[] {
    const endpoints = [...this.#slices.objects.values()].flatMap(({ endpoints }) =>
      (endpoints ?? []).flatMap(({ addresses }) => addresses),
    );
    const services = [...this.#services.objects.values()].flatMap(({ spec }) => [spec?.clusterIP ?? '', ...(spec?.clusterIPs ?? [])]);
    return [...new Set([...endpoints, ...services])].filter((address) => address !== '' && address !== 'None').sort();
  }
}
