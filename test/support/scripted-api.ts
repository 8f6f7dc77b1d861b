// An API server that answers as a test says, for what a real one does not do at will.
import { createServer, type RequestListener } from 'node:http';
import { KubeConfig } from '@kubernetes/client-node';
import { KubeClient } from '../../src/kube/client.ts';
import { listenAnywhere } from './ports.ts';

/** A client of such a server. */
export interface ScriptedApi {
  readonly client: KubeClient;
  stop(): Promise<void>;
}

/** Starts one. */
export async function startScriptedApi(answer: RequestListener): Promise<ScriptedApi> {
  const server = createServer(answer);
  const config = new KubeConfig();
  config.loadFromClusterAndUser(
    { name: 'c', server: `http://127.0.0.1:${await listenAnywhere(server)}`, skipTLSVerify: true },
    { name: 'u' },
  );
  const client = new KubeClient(config);
  return {
    client,
    async stop() {
      await client.close();
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
