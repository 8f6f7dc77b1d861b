// The deletion of a pod on an API server that is too busy for it: a script of answers.
import { createServer } from 'node:http';
import { KubeConfig } from '@kubernetes/client-node';
import { expect, it } from 'vitest';
import { KubeClient } from '../../src/kube/client.ts';
import { OwnPod } from '../../src/runtime/own-pod.ts';
import { listenAnywhere } from '../support/ports.ts';

it('is tried again when the API server says, and told of once', async () => {
  const asked: number[] = [];
  const server = createServer((_request, response) => {
    asked.push(performance.now());
    const code = [503, 429, 429, 404][asked.length - 1] ?? 500;
    const headers = code === 429 ? { 'retry-after': '1' } : {};
    response.writeHead(code, { 'content-type': 'application/json', ...headers });
    response.end(JSON.stringify({ kind: 'Status', status: 'Failure', code, message: 'says the test' }));
  });
  const config = new KubeConfig();
  const url = `http://127.0.0.1:${await listenAnywhere(server)}`;
  config.loadFromClusterAndUser({ name: 'c', server: url, skipTLSVerify: true }, { name: 'u' });
  const client = new KubeClient(config);
  const lines: string[] = [];
  const log = (line: string) => void lines.push(line);
  const own = new OwnPod({ metadata: { namespace: 'n', name: 'echo-slot-0', uid: 'u' } }, { client, log, deleted: () => {} });
  own.delete(false);
  expect(own.deletePending).toBe(true);
  await own.vanished;
  expect(own.deletePending).toBe(false);
  expect(asked).toHaveLength(4);
  const [, first = 0, , last = 0] = asked;
  expect(last - first, 'Retry-After: 1, twice').toBeGreaterThan(1950);
  expect(lines).toEqual(['pod echo-slot-0 cannot be deleted yet: says the test']);
  await client.close();
  server.close();
});
