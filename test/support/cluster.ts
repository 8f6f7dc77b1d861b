// Kubernetes for the tests. An API server: etcd and kube-apiserver by test/cluster/api.sh, on free ports, gone with the test process.
// A whole node: test/cluster/test.sh runs vitest inside its namespaces; see insideNode.
import { execFileSync, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';
import { until } from './ports.ts';

const FOLDER = join(import.meta.dirname, '..', 'cluster');

/** Do the tests run inside the namespaces of a whole node (test/cluster/cluster.sh)? KUBECONFIG is its admin's then. */
export const insideNode = process.env.SOCKETPOD_TEST_NODE === '1';

/** The images that a pod of the whole node can run: loaded before the tests start, never pulled (imagePullPolicy: IfNotPresent). */
export const images = {
  /** test/cluster/images/fn.c: a WebSocket echo in C that also fails in every way on request. Small: the cheapest function. */
  fn: 'localhost/fn:1',
  nodeEcho: 'localhost/node-echo:1',
  pythonPush: 'localhost/python-push:1',
  terminal: 'localhost/terminal:1',
} as const;

/** The path of the cluster's binary, if build.sh has built it from the sources as they are. */
export function kubeBinary(): string | undefined {
  if (process.env.KUBE_BINARY) return process.env.KUBE_BINARY;
  const hash = createHash('sha256');
  const sources = readdirSync(FOLDER).filter((name) => name.endsWith('.go'));
  for (const name of ['go.mod', 'go.sum', ...sources.sort()]) hash.update(readFileSync(join(FOLDER, name)));
  try {
    hash.update(execFileSync('go', ['env', 'GOVERSION'], { cwd: FOLDER, encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }));
  } catch {
    return undefined; // without Go there is no such binary
  }
  const cache = process.env.XDG_CACHE_HOME || join(homedir(), '.cache');
  const path = join(cache, 'socketpod', 'cluster', hash.digest('hex').slice(0, 16), 'kube');
  return existsSync(path) ? path : undefined;
}

/** A running API server. */
export interface TestApi {
  /** Path of its kubeconfig, with the rights of an admin. */
  readonly kubeconfig: string;
  /** Where it listens, and the admin's token. Its certificate is its own: certificate-authority in the kubeconfig. */
  readonly url: string;
  readonly token: string;
  /** Runs kubectl. Throws with its words when it fails. */
  kubectl(args: readonly string[], input?: string): string;
  stop(): Promise<void>;
}

/** kubectl of the cluster's binary on a kubeconfig. */
export function kubectl(kubeconfig: string, args: readonly string[], input?: string): string {
  const binary = kubeBinary();
  if (!binary) throw new Error('the cluster binary is not built; run npm run test:cluster');
  return execFileSync(binary, ['kubectl', '--kubeconfig', kubeconfig, ...args], {
    encoding: 'utf8',
    stdio: ['pipe', 'pipe', 'pipe'],
    ...(input === undefined ? {} : { input }),
  });
}

/** What an API server may have beside itself. */
export interface ApiOptions {
  /** The controller manager: garbage collection, the end of namespaces, ServiceAccounts. 1 s more. */
  readonly controllers?: boolean;
}

/** Starts an API server of its own. Takes 3 to 5 s. */
export async function startApi(options: ApiOptions = {}): Promise<TestApi> {
  const folder = mkdtempSync(join(tmpdir(), 'socketpod-test-'));
  const ready = join(folder, 'ready');
  // The kernel tells api.sh when this process is gone, kill -9 too; api.sh takes everything with it.
  const child = spawn('setpriv', ['--pdeathsig', 'TERM', join(FOLDER, 'api.sh'), 'sleep', 'infinity'], {
    env: { ...process.env, READY_FILE: ready, CONTROLLERS: options.controllers ? '1' : '' },
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  let ended = false;
  const exited = new Promise<void>((resolve) => {
    child.once('exit', () => {
      ended = true;
      resolve();
    });
  });
  const stop = async () => {
    child.kill('SIGTERM');
    await exited;
    rmSync(folder, { recursive: true, force: true });
  };
  await until(
    'the API server is ready',
    () => {
      if (ended) throw new Error('the API server did not start');
      return existsSync(ready);
    },
    60_000,
  ).catch(async (error) => {
    await stop();
    throw error;
  });
  const [kubeconfig = '', url = '', token = ''] = readFileSync(ready, 'utf8').split('\n');
  return { kubeconfig, url, token, kubectl: (args, input) => kubectl(kubeconfig, args, input), stop };
}
