// What a client sends cannot write into the log of `proxy`. The API server is real; there is no node, so every start is given up.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { startApi, type TestApi } from '../support/cluster.ts';
import { until } from '../support/ports.ts';
import { rawConnect } from '../support/raw-client.ts';
import { INJECTIONS, soundLines } from './injection.ts';

const MAIN = join(import.meta.dirname, '..', '..', 'src', 'main.ts');
const FUNCTION = JSON.stringify({
  apiVersion: 'socketpod.dev/v1alpha1',
  kind: 'WebSocketFunction',
  metadata: { name: 'everything', namespace: 'default' },
  spec: {
    route: { hosts: ['proxy.example'], paths: ['/'] },
    initTimeoutSeconds: 3,
    template: { spec: { containers: [{ name: 'function', image: 'localhost/none:1' }] } },
  },
});
let api: TestApi;

beforeAll(async () => {
  api = await startApi();
}, 90_000);

afterAll(() => api?.stop());

it('proxy tells of each client in whole lines', async () => {
  api.kubectl(['apply', '-f', 'crds/']);
  await until('the resource is served', () => api.kubectl(['api-resources']).includes('websocketfunctions'));
  api.kubectl(['apply', '-f', '-'], FUNCTION);
  const child = spawn(
    process.execPath,
    [MAIN, 'proxy', '--listen', '127.0.0.1:0', '--admin', '127.0.0.1:0', '--kubeconfig', api.kubeconfig],
    { stdio: ['ignore', 'pipe', 'inherit'] },
  );
  let text = '';
  child.stdout.on('data', (chunk) => {
    text += chunk;
  });
  const port = () => /"message":"listening".*?"port":([0-9]+)/.exec(text)?.[1];
  await until('it listens', () => port() !== undefined);
  await Promise.all(
    INJECTIONS.map(async (bytes) => {
      const client = await rawConnect(Number(port()));
      client.send(bytes);
      expect(await client.head()).toMatch(/^HTTP\/1\.1 [45]/);
      client.socket.destroy();
    }),
  );
  const ends = () => text.split('"message":"end"').length - 1;
  await until('all have ended', () => ends() === INJECTIONS.length);
  child.kill('SIGTERM');
  await once(child, 'exit');
  const lines = soundLines(text);
  expect(lines.filter(({ message }) => message === 'end')).toHaveLength(INJECTIONS.length);
  expect(lines.filter(({ traceparent }) => traceparent).length, 'with text in its line').toBeGreaterThan(3);
});
