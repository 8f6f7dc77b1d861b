// `socketpod dev --json` as a child process, as a user starts it, and what it tells.
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import type { Memory } from './memory-probe.ts';
import { until } from './ports.ts';

/** The program. */
export const MAIN = join(import.meta.dirname, '..', '..', 'src', 'main.ts');
const PROBED = ['--expose-gc', '--import', join(import.meta.dirname, 'memory-probe.ts')];

/** A line of `dev --json`. */
export type DevEvent = { readonly event: string } & Record<string, unknown>;

/** A running `dev`. */
export interface Dev {
  readonly child: ChildProcess;
  readonly events: DevEvent[];
  /** All that it wrote, as it came. */
  text(): string;
  /** NaN where the port is off. */
  readonly port: number;
  readonly tlsPort: number;
  /** Waits for an event that fits. */
  event(name: string, fits?: (event: DevEvent) => boolean): Promise<DevEvent>;
  /** What it holds after a collection; for a `dev` that was started with the probe. */
  memory(): Promise<Memory>;
  /** SIGTERM; gives the exit code. */
  stop(): Promise<number | null>;
}

/** How the program is started. */
export interface DevStart {
  /** Its memory can be asked for. */
  readonly probed?: boolean;
  /** What comes before the command: the program's main file, options of Node. */
  readonly node?: readonly string[];
}

/** Starts `dev` on a free port and waits until it listens. */
export async function startDev(args: readonly string[], { probed = false, node = [MAIN] }: DevStart = {}): Promise<Dev> {
  const child = spawn(process.execPath, [...(probed ? PROBED : []), ...node, 'dev', '--json', '--listen', '127.0.0.1:0', ...args], {
    stdio: ['ignore', 'pipe', 'inherit', ...(probed ? (['ipc'] as const) : [])],
  });
  const events: DevEvent[] = [];
  let text = '';
  child.stdout?.on('data', (chunk) => {
    text += chunk;
  });
  createInterface({ input: child.stdout as Readable }).on('line', (line) => events.push(JSON.parse(line)));
  const event = async (name: string, fits: (event: DevEvent) => boolean = () => true) => {
    const find = () => events.find((one) => one.event === name && fits(one));
    await until(`dev tells of ${name}`, () => find() !== undefined || child.exitCode !== null, 30_000);
    const found = find();
    if (!found) throw new Error(`dev ended with ${child.exitCode} before it told of ${name}`);
    return found;
  };
  const { address, tls } = await event('listening');
  const portOf = (at: unknown) => Number(String(at).split(':').at(-1));
  return {
    child,
    events,
    text: () => text,
    port: portOf(address),
    tlsPort: portOf(tls),
    event,
    async memory() {
      child.send('tell');
      const [memory] = await once(child, 'message');
      return memory;
    },
    async stop() {
      if (child.exitCode !== null) return child.exitCode;
      child.kill('SIGTERM');
      await once(child, 'exit');
      return child.exitCode;
    },
  };
}
