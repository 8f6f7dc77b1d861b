// The real API server of the tests: etcd and kube-apiserver by test/cluster/api.sh, on free ports, gone with the test process.
import { execFileSync, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { accessSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';
import { until } from './ports.ts';

const FOLDER = join(import.meta.dirname, '..', 'cluster');

/** Do the tests run inside the namespaces of a whole node (test/cluster/cluster.sh)? */
export const insideNode = process.env.SOCKETPOD_TEST_NODE === '1';

/** The path of the cluster's binary, if build.sh has built it from the sources as they are. */
export function kubeBinary(): string | undefined {
  const hash = createHash('sha256');
  const sources = readdirSync(FOLDER).filter((name) => name.endsWith('.go'));
  for (const name of ['go.mod', 'go.sum', ...sources.sort()]) hash.update(readFileSync(join(FOLDER, name)));
  try {
    hash.update(execFileSync('go', ['env', 'GOVERSION'], { cwd: FOLDER, encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }));
  } catch {
    return undefined; // without Go there is no such binary
  }
  const cache = process.env.XDG_CACHE_HOME ?? join(homedir(), '.cache');
  const path = join(cache, 'socketpod', 'cluster', hash.digest('hex').slice(0, 16), 'kube');
  return existsSync(path) ? path : undefined;
}

/** A running API server. */
export interface TestApi {
  /** Path of its kubeconfig, with the rights of an admin. */
  readonly kubeconfig: string;
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

/**
 * Starts an API server of its own. Takes 3 to 5 s.
 * @param controllers the controller manager too: garbage collection, namespaces
 */
export async function startApi(controllers = false): Promise<TestApi> {
  const folder = mkdtempSync(join(tmpdir(), 'socketpod-test-'));
  const ready = join(folder, 'ready');
  const child = spawn('setpriv', ['--pdeathsig', 'TERM', join(FOLDER, 'api.sh'), 'sleep', 'infinity'], {
    env: { ...process.env, READY_FILE: ready, ...(controllers ? { KCM: '1' } : {}) },
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  let ended = false;
  const exited = new Promise<void>((resolve) => {
    child.once('exit', () => {
      ended = true;
      resolve();
    });
  });
  await until(
    'the API server is ready',
    () => {
      if (ended) throw new Error('the API server did not start');
      return existsSync(ready);
    },
    60_000,
  );
  const kubeconfig = readFileSync(ready, 'utf8').trim();
  accessSync(kubeconfig);
  return {
    kubeconfig,
    kubectl: (args, input) => kubectl(kubeconfig, args, input),
    async stop() {
      child.kill('SIGTERM');
      await exited;
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
