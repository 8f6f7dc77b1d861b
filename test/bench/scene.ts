// What the benchmarks of whole processes run on: `socketpod dev --attach` with wide limits before an echo server, each in a process
// of its own, and clients in another.
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { CompleteSpec } from '../../src/api/types.ts';
import { type Dev, MAIN, startDev } from '../support/dev.ts';

/** As much as a limit can be. */
const MOST = 2_147_483_647;
const MOST_FRAMES = 1_000_000;

const WIDE: Partial<CompleteSpec> = {
  idleTimeoutSeconds: 7200,
  maxMessageBytes: MOST,
  maxBytesPerSecond: MOST,
  maxMessagesPerSecond: MOST,
  maxConnections: MOST,
};

/** A running proxy and its echo server. */
export interface Scene {
  readonly dev: Dev;
  stop(): Promise<void>;
}

/** How a scene differs from the usual one. */
export interface SceneOptions {
  readonly spec?: Partial<CompleteSpec>;
  readonly args?: readonly string[];
  /** What Node is given before the command. */
  readonly node?: readonly string[];
  /** Can its memory be asked for? */
  readonly probed?: boolean;
}

/** Starts them. */
export async function startScene({ spec = {}, args = [], node = [MAIN], probed = false }: SceneOptions = {}): Promise<Scene> {
  const folder = mkdtempSync(join(tmpdir(), 'socketpod-'));
  const template = { spec: { containers: [{ name: 'function' }] } };
  const object = {
    apiVersion: 'socketpod.dev/v1alpha1',
    kind: 'WebSocketFunction',
    metadata: { name: 'echo', namespace: 'test' },
    spec: { ...WIDE, ...spec, template },
  };
  const file = join(folder, 'echo.yaml');
  const ceilings = join(folder, 'ceilings.json');
  const { maxMessageBytes, maxBytesPerSecond, maxMessagesPerSecond, maxConnections } = WIDE;
  writeFileSync(file, JSON.stringify(object));
  writeFileSync(ceilings, JSON.stringify({ default: { maxMessageBytes, maxBytesPerSecond, maxMessagesPerSecond, maxConnections } }));
  process.env.SOCKETPOD_MAX_FRAMES_PER_SECOND = String(MOST_FRAMES);

  const echo = forkHere('echo.ts');
  const [port] = await once(echo, 'message');
  const dev = await startDev(['-f', file, '--ceilings', ceilings, '--attach', `127.0.0.1:${port}`, ...args], { node, probed });
  return {
    dev,
    async stop() {
      await dev.stop();
      await end(echo);
      rmSync(folder, { recursive: true });
    },
  };
}

/** Starts another file of this folder as a process with a channel to it. */
export function forkHere(file: string, args: readonly (string | number)[] = []): ChildProcess {
  return fork(join(import.meta.dirname, file), args.map(String), { execPath: process.execPath });
}

/** Asks such a process and waits for the next that it tells. */
export async function ask<T>(child: ChildProcess, question: string): Promise<T> {
  const answer = once(child, 'message');
  child.send(question);
  return (await answer)[0] as T;
}

/** Ends such a process. */
export async function end(child: ChildProcess): Promise<void> {
  child.kill();
  if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
}
