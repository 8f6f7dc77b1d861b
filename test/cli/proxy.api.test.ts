// `socketpod proxy` where the cluster is not ready for it: one clear line and a non-zero exit, never a stack trace.
import { spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parse, stringify } from 'yaml';
import { startApi, type TestApi } from '../support/cluster.ts';
import { until } from '../support/ports.ts';

const MAIN = join(import.meta.dirname, '..', '..', 'src', 'main.ts');
let api: TestApi;

beforeAll(async () => {
  api = await startApi();
}, 90_000);

afterAll(() => api?.stop());

function proxy(kubeconfig: string): { status: number | null; stderr: string } {
  return spawnSync(process.execPath, [MAIN, 'proxy', '--listen', '127.0.0.1:0', '--kubeconfig', kubeconfig], {
    encoding: 'utf8',
    timeout: 30_000,
  });
}

/** The kubeconfig with another token or server. */
function changed(name: string, { token, server }: { token?: string; server?: string }): string {
  const config = parse(readFileSync(api.kubeconfig, 'utf8'));
  if (token !== undefined) config.users[0].user.token = token;
  if (server !== undefined) config.clusters[0].cluster.server = server;
  writeFileSync(`${api.kubeconfig}.${name}`, stringify(config));
  return `${api.kubeconfig}.${name}`;
}

describe('socketpod proxy', () => {
  it('says that the resource is not installed, and how to install it', () => {
    const { status, stderr } = proxy(api.kubeconfig);
    expect(stderr).toBe('socketpod: websocketfunctions.socketpod.dev is not installed; run: socketpod crd | kubectl apply -f -\n');
    expect(status).toBe(1);
  });

  it('says that its user is not known', () => {
    const { status, stderr } = proxy(changed('unknown', { token: 'nobody' }));
    expect(stderr).toMatch(
      /^socketpod: the API server https:\S+ does not know this kubeconfig's user; log in again or see --kubeconfig\n$/,
    );
    expect(status).toBe(1);
  });

  it('says that its user has not the rights, and which', async () => {
    api.kubectl(['apply', '-f', 'crds/']);
    api.kubectl(['create', 'serviceaccount', 'nobody']);
    const token = api.kubectl(['create', 'token', 'nobody']).trim();
    await until('the resource is served', () => api.kubectl(['api-resources']).includes('websocketfunctions'));
    const { status, stderr } = proxy(changed('nobody', { token }));
    expect(stderr).toMatch(/^socketpod: this kubeconfig may not do what a proxy does: .*cannot list resource "websocketfunctions".*\n$/);
    expect(status).toBe(1);
  });

  it('says that the API server cannot be reached', () => {
    const { status, stderr } = proxy(changed('away', { server: 'https://127.0.0.1:1' }));
    expect(stderr).toMatch(/^socketpod: the API server https:\/\/127\.0\.0\.1:1 cannot be reached: .*ECONNREFUSED.*\n$/);
    expect(status).toBe(1);
  });
});
