// One child process a connection: the runtime of `dev`. Each child leads a process group of its own, has a port of its own in
// PORT, and is ended with its whole group.
import { type ChildProcess, spawn } from 'node:child_process';
import { createServer, type Socket } from 'node:net';
import { constants } from 'node:os';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { localCommand } from '../core/command.ts';
import { reasonOfExit } from '../core/exit.ts';
import { LAST_WORDS_BYTES, lastBytes, lastWords } from '../core/last-words.ts';
import type { ServedFunction } from '../core/served.ts';
import { probe } from './probe.ts';
import type { Backend, Cause, Runtime, Started, StartRequest } from './runtime.ts';

const HOST = '127.0.0.1';
/** Between SIGTERM and SIGKILL where the template does not say, in seconds (contract part 2). */
const GRACE_SECONDS = 5;
/** How long after an exit its output is read on: what left the group may hold the pipes open for ever (ms). */
const OUTPUT_MS = 200;

/** Takes a line that a function wrote to its standard output or error. */
export type OutputSink = (fn: ServedFunction, connectionId: string, line: string) => void;

/** What became of a child: its exit code as a shell would tell it (128 + n for a signal), or that it could not be started. */
type Exit = { readonly code: number } | { readonly error: Error };

/** A runtime that starts each function's command on this machine. */
export function processRuntime(output: OutputSink): Runtime {
  const running = new Set<LocalProcess>();
  let closed = false;
  return {
    async start(request: StartRequest): Promise<Started> {
      const begun = performance.now();
      const port = await freePort();
      const command = localCommand(request.fn, port);
      if (typeof command === 'string') return { ok: false, reason: 'container_start_failed', detail: command };
      if (request.signal.aborted || closed) return { ok: false, reason: 'port_timeout', detail: 'given up before it was started' };
      const child = spawn(command.file, command.args, {
        cwd: request.fn.folder,
        env: { ...process.env, ...command.env },
        detached: true,
        stdio: ['ignore', 'pipe', 'pipe'],
      });
      const created = performance.now();
      const local = new LocalProcess(child, request.fn.spec.template.spec.terminationGracePeriodSeconds ?? GRACE_SECONDS);
      // Without a descriptor left there are no streams, and an error event instead, which `local` hears.
      for (const stream of [child.stdout, child.stderr] as (Readable | undefined)[]) {
        if (!stream) continue;
        createInterface({ input: stream }).on('line', (line) => {
          local.hear(line);
          output(request.fn, request.connectionId, line);
        });
      }
      running.add(local);
      local.exited.then(() => running.delete(local));
      return await opened(local, port, request.signal, { create: created - begun });
    },
    async close(withinMs: number): Promise<void> {
      closed = true;
      for (const local of running) local.stop();
      await within(Promise.all([...running].map((local) => local.exited)), withinMs);
      for (const local of running) local.kill('SIGKILL');
    },
  };
}

/** Waits for the first of: the port opens, the child ends, the start is given up. */
async function opened(local: LocalProcess, port: number, signal: AbortSignal, stages: Backend['stages']): Promise<Started> {
  const begun = performance.now();
  const over = new AbortController();
  const socketOrNot = probe(HOST, port, AbortSignal.any([signal, over.signal]));
  const first = await Promise.race([socketOrNot, local.exited]);
  if (first && 'code' in first) {
    over.abort();
    (await socketOrNot)?.destroy();
    const detail = `exit code ${first.code} before its port opened`;
    return { ok: false, reason: 'container_exited', detail, lastWords: await local.lastWords(first.code) };
  }
  if (first && 'error' in first) {
    over.abort();
    return { ok: false, reason: 'container_start_failed', detail: first.error.message };
  }
  if (!first) {
    local.stop();
    return { ok: false, reason: 'port_timeout', detail: `nothing listened on PORT ${port}` };
  }
  stages.port = performance.now() - begun;
  return { ok: true, backend: local.backend(first, stages) };
}

/** A child with its group. */
class LocalProcess {
  /** Resolves once, when the child has ended or could not be started. */
  readonly exited: Promise<Exit>;
  readonly #child: ChildProcess;
  readonly #graceMs: number;
  readonly #outputRead: Promise<unknown>;
  #output = '';
  #exit: Exit | undefined;
  #stopping = false;

  constructor(child: ChildProcess, graceSeconds: number) {
    this.#child = child;
    this.#graceMs = graceSeconds * 1000;
    this.#outputRead = new Promise((resolve) => void child.once('close', resolve));
    this.exited = new Promise((resolve) => {
      const end = (exit: Exit) => {
        this.#exit ??= exit;
        this.kill('SIGKILL'); // what the child left behind in its group
        resolve(this.#exit);
      };
      child.once('error', (error) => end({ error }));
      child.once('exit', (code, signal) => end({ code: code ?? 128 + (signal ? constants.signals[signal] : 0) }));
    });
  }

  backend(socket: Socket, stages: Backend['stages']): Backend {
    return {
      name: `pid ${this.#child.pid}`,
      node: undefined,
      start: 'cold',
      stages,
      socket,
      vanished: new Promise(() => {}),
      noted: () => undefined,
      opened: () => {},
      stop: () => this.stop(),
      cause: (withinMs) => this.#cause(withinMs),
    };
  }

  /** SIGTERM to the group, SIGKILL after the grace period. */
  stop(): void {
    if (this.#stopping || this.#exit) return;
    this.#stopping = true;
    this.kill('SIGTERM');
    const timer = setTimeout(() => this.kill('SIGKILL'), this.#graceMs);
    this.exited.then(() => clearTimeout(timer));
  }

  /** A signal to the whole group; nothing when no process of it is left. */
  kill(signal: NodeJS.Signals): void {
    const { pid } = this.#child;
    if (pid === undefined) return;
    try {
      process.kill(-pid, signal);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
    }
  }

  /** It wrote a line. */
  hear(line: string): void {
    this.#output = lastBytes(`${this.#output}${line}\n`, LAST_WORDS_BYTES);
  }

  /** The end of its output, once it has exited; as on a cluster, only if that was with an error. */
  async lastWords(exitCode: number): Promise<string> {
    if (exitCode === 0) return '';
    await within(this.#outputRead, OUTPUT_MS);
    return lastWords(this.#output);
  }

  async #cause(withinMs: number): Promise<Cause> {
    const exit = await within(this.exited, withinMs);
    if (!exit || 'error' in exit) return { reason: 'function_dropped', detail: '', lastWords: '' };
    return { reason: reasonOfExit(exit.code), detail: `exit code ${exit.code}`, lastWords: await this.lastWords(exit.code) };
  }
}

async function within<T>(promise: Promise<T>, ms: number): Promise<T | undefined> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<undefined>((resolve) => {
    timer = setTimeout(resolve, ms, undefined);
  });
  const result = await Promise.race([promise, late]);
  clearTimeout(timer);
  return result;
}

/** A port that is free at this moment: the kernel gives out ports at random, so the next caller gets another one. */
function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen(0, HOST, () => {
      const address = server.address();
      server.close(() => resolve(typeof address === 'object' && address ? address.port : 0));
    });
  });
}
