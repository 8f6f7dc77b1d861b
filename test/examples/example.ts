// An example's server as a plain child process, without the platform, and a client that can wait.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { createInterface } from 'node:readline';
import { WebSocket } from 'ws';
import { listenAnywhere } from '../support/ports.ts';

/** A running example. */
export interface Example {
  readonly url: string;
  readonly pid: number | undefined;
  kill(signal: NodeJS.Signals): void;
  /** Its exit code; null when a signal ended it. */
  readonly exited: Promise<number | null>;
}

/** Starts it on a free port; resolves when it listens. */
export async function startExample(folder: string, command: string, args: string[], env: Record<string, string> = {}): Promise<Example> {
  const cwd = new URL(`../../examples/${folder}/`, import.meta.url);
  const port = await freePort();
  const child = spawn(command, args, { cwd, env: { ...process.env, PORT: String(port), ...env }, stdio: ['ignore', 'pipe', 'inherit'] });
  const exited = once(child, 'exit').then(([code]): number | null => code);
  const lines = createInterface({ input: child.stdout });
  await new Promise<void>((listens, failed) => {
    lines.on('line', (line) => {
      if (/^listening on port \d+ after \d+ ms$/.test(line)) listens();
    });
    void exited.then((code) => failed(new Error(`${folder} ended with ${code} before it listened`)));
  });
  return { url: `ws://127.0.0.1:${port}/`, pid: child.pid, kill: (signal) => void child.kill(signal), exited };
}

/** Not PORT=0: Python's asyncio would then take one port for IPv4 and another for IPv6. */
async function freePort(): Promise<number> {
  const server = createServer();
  const port = await listenAnywhere(server);
  await new Promise((closed) => server.close(closed));
  return port;
}

/** What a client has received: data as it came, with its type. */
export interface Received {
  readonly data: Buffer;
  readonly isBinary: boolean;
}

/** An open client; `listenMs` is the header X-Listen-Ms of the 101. */
export async function openClient(url: string, protocols: string[] = []) {
  const socket = new WebSocket(url, protocols);
  const received: Received[] = [];
  socket.on('message', (data: Buffer, isBinary) => received.push({ data, isBinary }));
  const closed = new Promise<number>((resolve) => socket.once('close', resolve));
  let listenMs = Number.NaN;
  socket.once('upgrade', (response) => {
    listenMs = Number(response.headers['x-listen-ms']);
  });
  await once(socket, 'open');
  const next = async (): Promise<Received> => {
    if (received.length === 0) await once(socket, 'message');
    const first = received.shift();
    if (!first) throw new Error('a message was there and is not');
    return first;
  };
  return { socket, closed, next, listenMs, text: async () => (await next()).data.toString() };
}
