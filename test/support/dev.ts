// `socketpod dev --json` as a child process, as a user starts it, and what it tells.
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { until } from './ports.ts';

/** The program. */
export const MAIN = join(import.meta.dirname, '..', '..', 'src', 'main.ts');

/** A line of `dev --json`. */
export type DevEvent = { readonly event: string } & Record<string, unknown>;

/** A running `dev`. */
export interface Dev {
  readonly child: ChildProcess;
  readonly events: DevEvent[];
  readonly port: number;
  /** Waits for an event that fits. */
  event(name: string, fits?: (event: DevEvent) => boolean): Promise<DevEvent>;
  /** SIGTERM; gives the exit code. */
  stop(): Promise<number | null>;
}

/**
 * Starts `dev` on a free port and waits until it listens.
 * @param node what comes before the command: the program's main file, options of Node
 */
export async function startDev(args: readonly string[], node: readonly string[] = [MAIN]): Promise<Dev> {
  const child = spawn(process.execPath, [...node, 'dev', '--json', '--listen', '127.0.0.1:0', ...args], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const events: DevEvent[] = [];
  createInterface({ input: child.stdout }).on('line', (line) => events.push(JSON.parse(line)));
  const event = async (name: string, fits: (event: DevEvent) => boolean = () => true) => {
    const find = () => events.find((one) => one.event === name && fits(one));
    await until(`dev tells of ${name}`, () => find() !== undefined || child.exitCode !== null);
    const found = find();
    if (!found) throw new Error(`dev ended with ${child.exitCode} before it told of ${name}`);
    return found;
  };
  const { address } = await event('listening');
  return {
    child,
    events,
    port: Number(String(address).split(':').at(-1)),
    event,
    async stop() {
      if (child.exitCode !== null) return child.exitCode;
      child.kill('SIGTERM');
      await once(child, 'exit');
      return child.exitCode;
    },
  };
}
