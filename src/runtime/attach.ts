// `dev --attach`: every connection goes to a server that already runs. For tests and debugging; nothing is started or ended.

import { probe } from './probe.ts';
import type { Backend, Runtime, Started, StartRequest } from './runtime.ts';

/** A runtime whose only backend is the server at host and port. */
export function attachRuntime(host: string, port: number): Runtime {
  return {
    async start({ signal }: StartRequest): Promise<Started> {
      const begun = performance.now();
      const socket = await probe(host, port, signal);
      if (!socket) return { ok: false, reason: 'port_timeout', detail: `nothing listens at ${host}:${port}` };
      const backend: Backend = {
        name: `${host}:${port}`,
        node: undefined,
        start: 'warm',
        stages: { port: performance.now() - begun },
        socket,
        vanished: new Promise(() => {}),
        noted: () => undefined,
        opened: () => {},
        stop: () => {},
        cause: async () => ({ reason: 'function_dropped', detail: '', lastWords: '' }),
      };
      return { ok: true, backend };
    },
    async close(): Promise<void> {},
  };
}
