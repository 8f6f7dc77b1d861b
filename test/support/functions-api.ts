// Functions as their owners make, change and delete them, by calls instead of kubectl, which costs 150 ms of a core each time.
import { GROUP, PLURAL, VERSION } from '../../src/api/names.ts';
import type { WebSocketFunction } from '../../src/api/types.ts';
import { connectKube, isNotFound } from '../../src/kube/client.ts';

/** The functions of one namespace. */
export interface FunctionsApi {
  create(object: object): Promise<WebSocketFunction>;
  get(name: string): Promise<WebSocketFunction>;
  /** Merges into the spec. */
  edit(name: string, spec: object): Promise<WebSocketFunction>;
  remove(name: string): Promise<void>;
  /** All of them, by one call. */
  removeAll(): Promise<unknown>;
  stop(): Promise<void>;
}

/** The functions of this namespace, by the admin of the tests' cluster. */
export function functionsApi(namespace: string): FunctionsApi {
  const client = connectKube(process.env.KUBECONFIG);
  const base = `/apis/${GROUP}/${VERSION}/namespaces/${namespace}/${PLURAL}`;
  return {
    create: (body) => client.call('POST', base, { body }),
    get: (name) => client.call('GET', `${base}/${name}`),
    edit: (name, spec) => client.call('PATCH', `${base}/${name}`, { body: { spec }, type: 'application/merge-patch+json' }),
    async remove(name) {
      await client.call('DELETE', `${base}/${name}`).catch((error) => {
        if (!isNotFound(error)) throw error;
      });
    },
    removeAll: () => client.call('DELETE', base, { timeoutMs: 120_000 }),
    stop: () => client.close(),
  };
}
