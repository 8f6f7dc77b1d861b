// The real helm, of the cluster's binary, on our chart; and what it renders.
import { spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseAllDocuments } from 'yaml';
import { kubeBinary } from './cluster.ts';

const ROOT = join(import.meta.dirname, '..', '..');
/** The chart. */
export const CHART = join(ROOT, 'charts', 'socketpod');

/** An object of Kubernetes, as far as the tests look into it. */
export interface Rendered {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: {
    readonly name: string;
    readonly namespace?: string;
    readonly labels?: Record<string, string>;
    readonly annotations?: Record<string, string>;
  };
  // biome-ignore lint/suspicious/noExplicitAny: of any kind
  readonly [field: string]: any;
}

/** What a run of helm said. */
export interface Helmed {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Values of the chart, as an object; helm reads them from its standard input. */
export type ChartValues = object;

/** The command line, and the environment with homes that nobody else has. */
function prepared(args: readonly string[], values: ChartValues | undefined) {
  const binary = kubeBinary();
  if (!binary) throw new Error('the cluster binary is not built; run npm run test:cluster');
  const home = mkdtempSync(join(tmpdir(), 'socketpod-helm-'));
  const env = { ...process.env, HELM_CACHE_HOME: home, HELM_CONFIG_HOME: home, HELM_DATA_HOME: home };
  const words = ['helm', ...args, ...(values === undefined ? [] : ['--values', '-'])];
  return { binary, words, env, input: JSON.stringify(values ?? {}), clear: () => rmSync(home, { recursive: true, force: true }) };
}

/** Runs helm. */
export function helm(args: readonly string[], values?: ChartValues): Helmed {
  const { binary, words, env, input, clear } = prepared(args, values);
  const result = spawnSync(binary, words, { cwd: ROOT, encoding: 'utf8', input, env, maxBuffer: 64 * 1024 * 1024 });
  clear();
  return result;
}

/** Runs helm while the test goes on. Rejects with its words when it fails. @returns what it printed */
export async function helmBeside(args: readonly string[], values?: ChartValues): Promise<string> {
  const { binary, words, env, input, clear } = prepared(args, values);
  const child = spawn(binary, words, { cwd: ROOT, env });
  let said = '';
  for (const stream of [child.stdout, child.stderr]) stream.setEncoding('utf8').on('data', (text) => (said += text));
  child.stdin.end(input);
  const status = await new Promise((resolve) => child.once('close', resolve));
  clear();
  if (status !== 0) throw new Error(`helm ${args.join(' ')}: ${said}`);
  return said;
}

/** Runs helm, and throws with its words when it fails. @returns what it printed */
export function mustHelm(args: readonly string[], values?: ChartValues): string {
  const { status, stdout, stderr } = helm(args, values);
  if (status !== 0) throw new Error(`helm ${args.join(' ')}: ${stdout}${stderr}`);
  return stdout;
}

/** The objects that a release of this name, in a namespace of this name, would have, hooks too. */
export function render(values: ChartValues = {}, release = 'socketpod'): Rendered[] {
  const text = mustHelm(['template', release, CHART, '--namespace', release], values);
  return parseAllDocuments(text)
    .map((document) => document.toJS())
    .filter((object) => object !== null);
}
