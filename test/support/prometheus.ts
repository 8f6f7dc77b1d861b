// A real Prometheus for the tests, and its linter. Both programs are on PATH in test/cluster/test.sh; test/cluster/install.sh brings them.
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { until } from './ports.ts';

/** What Prometheus's own linter and parser have against a text of metrics, in its words; empty when nothing. */
export function promtoolCheck(text: string): string {
  return promtool(['check', 'metrics'], text);
}

/** What promtool says when it does not succeed; empty when it does. */
export function promtool(args: readonly string[], input = ''): string {
  const { error, status, stdout, stderr } = spawnSync('promtool', args, { input, encoding: 'utf8' });
  if (error) throw new Error('promtool does not run; test/cluster/install.sh brings it', { cause: error });
  return status === 0 ? '' : `${stdout}${stderr}` || `promtool ended with ${status}`;
}

/** One series of the answer to a query. */
export interface Sample {
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

/** One series of an expression over time: for each step that has a value, when (seconds since 1970) and what. */
export interface Course {
  readonly labels: Readonly<Record<string, string>>;
  readonly points: readonly (readonly [at: number, value: number])[];
}

/** A running Prometheus. */
export interface Prometheus {
  /** Asks for the value of an expression now, or at a time (seconds since 1970). Throws with Prometheus's words at a bad one. */
  query(expression: string, at?: number): Promise<Sample[]>;
  /** Asks for its values from a time to another, each `step` seconds. */
  course(expression: string, from: number, to: number, step: number): Promise<Course[]>;
  /** Ends it and removes all that it stored. */
  stop(): Promise<void>;
}

/**
 * Starts a Prometheus that asks `http://TARGET/metrics` each second; a target is `host:port`. Resolves when it has asked each once
 * (whether or not one answered: see `up`), after about 6 s.
 * @param groups of rules, evaluated each second where they do not say otherwise
 */
export async function startPrometheus(targets: readonly string[], groups: readonly object[] = []): Promise<Prometheus> {
  const folder = mkdtempSync(join(tmpdir(), 'socketpod-prometheus-'));
  const config = join(folder, 'prometheus.yml');
  // JSON is YAML.
  writeFileSync(join(folder, 'rules.yml'), JSON.stringify({ groups }));
  writeFileSync(
    config,
    JSON.stringify({
      global: { scrape_interval: '1s', scrape_timeout: '1s', evaluation_interval: '1s' },
      rule_files: ['rules.yml'],
      scrape_configs: [{ job_name: 'socketpod', static_configs: [{ targets }] }],
    }),
  );
  const flags = [`--config.file=${config}`, `--storage.tsdb.path=${join(folder, 'data')}`, '--web.listen-address=127.0.0.1:0'];
  // The kernel ends it with the test process, kill -9 too.
  const child = spawn('setpriv', ['--pdeathsig', 'KILL', 'prometheus', ...flags], { stdio: ['ignore', 'ignore', 'pipe'] });
  let log = '';
  child.stderr.setEncoding('utf8').on('data', (text) => {
    log += text;
  });
  const stop = async () => {
    await ended(child);
    rmSync(folder, { recursive: true, force: true });
  };
  try {
    const base = `http://127.0.0.1:${await portOf(child, () => log)}`;
    await until('Prometheus is ready', async () => (await fetch(`${base}/-/ready`)).ok);
    // It reads its list of targets anew every 5 s only, and an empty one first.
    await until('each target was asked', async () => (await query(base, 'up')).length === targets.length, 30_000);
    return {
      query: (expression, at) => query(base, expression, at),
      course: (expression, from, to, step) => course(base, expression, from, to, step),
      stop,
    };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** The free port that it chose, by its log. */
async function portOf(child: ChildProcess, log: () => string): Promise<string> {
  let port: string | undefined;
  await until('Prometheus listens', () => {
    if (child.exitCode !== null) throw new Error(`Prometheus did not start; test/cluster/install.sh brings it: ${log()}`);
    port = /msg="Listening on".* address=127\.0\.0\.1:(\d+)/.exec(log())?.[1];
    return port !== undefined;
  });
  return port ?? '';
}

async function ended(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exit = once(child, 'exit');
  child.kill('SIGTERM');
  await exit;
}

async function query(base: string, expression: string, at?: number): Promise<Sample[]> {
  const time = at === undefined ? {} : { time: String(at) };
  const result = await ask<{ metric: Record<string, string>; value: [number, string] }>(base, 'query', { query: expression, ...time });
  return result.map(({ metric, value }) => ({ labels: metric, value: Number(value[1]) }));
}

async function course(base: string, expression: string, from: number, to: number, step: number): Promise<Course[]> {
  const asked = { query: expression, start: String(from), end: String(to), step: String(step) };
  const result = await ask<{ metric: Record<string, string>; values: [number, string][] }>(base, 'query_range', asked);
  return result.map(({ metric, values }) => ({ labels: metric, points: values.map(([at, value]) => [at, Number(value)]) }));
}

async function ask<T>(base: string, path: string, asked: { query: string }): Promise<T[]> {
  const answer = await fetch(`${base}/api/v1/${path}`, { method: 'POST', body: new URLSearchParams(asked) });
  const { error, data } = (await answer.json()) as { error?: string; data?: { result: T[] } };
  if (!data) throw new Error(`${asked.query}: ${error}`);
  return data.result;
}
