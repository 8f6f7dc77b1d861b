// What the demo needs around its story: `socketpod dev` as a child, its events, and a client that can wait.
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { type RawData, WebSocket } from 'ws';

/** The longest that any one step of the demo may take (ms); a cold Python takes a second on a slow machine. */
const STEP_MS = 20_000;
const ROOT = fileURLToPath(new URL('..', import.meta.url));

/** An event line of `dev --json` (src/cli/dev-report.ts); only what the demo reads. */
export interface DevEvent {
  readonly event: 'listening' | 'function' | 'open' | 'end' | 'output' | 'problem' | 'removed';
  readonly id?: string;
  readonly function?: string;
  readonly urls?: readonly string[];
  readonly backend?: string;
  readonly code?: number;
  readonly reason?: string;
  readonly status?: 'success' | 'failure';
  readonly httpStatus?: number;
  readonly handshakeMs?: number;
}

/** A running `dev`. */
export interface Dev {
  /** All events so far. */
  readonly events: readonly DevEvent[];
  /** The first event, past or to come, that fits. */
  first(what: string, fits: (event: DevEvent) => boolean): Promise<DevEvent>;
  /** Hears of every further event. */
  onEvent(listener: (event: DevEvent) => void): void;
  /** SIGTERM; resolves to its exit code. */
  stop(): Promise<number | null>;
  readonly exited: Promise<number | null>;
}

/** Starts `socketpod dev --json` with these function files on a free port. */
export function startDev(files: readonly string[], env: Readonly<Record<string, string>>): Dev {
  const args = ['src/main.ts', 'dev', '--json', '--listen', '127.0.0.1:0', ...files.flatMap((file) => ['-f', file])];
  const child = spawn(process.execPath, args, { cwd: ROOT, env: { ...process.env, ...env }, stdio: ['ignore', 'pipe', 'inherit'] });
  const events: DevEvent[] = [];
  const listeners = new Set<(event: DevEvent) => void>();
  const changes = changesOf();
  let ended = false;
  createInterface({ input: child.stdout }).on('line', (line) => {
    const event: DevEvent = JSON.parse(line);
    events.push(event);
    changes.tell();
    for (const listener of listeners) listener(event);
  });
  const killed = () => child.kill('SIGTERM'); // whatever ends the demo ends dev too, and dev its processes
  process.once('exit', killed);
  const exited = exitOf(child).finally(() => {
    process.off('exit', killed);
    ended = true;
    changes.tell();
  });
  return {
    events,
    onEvent: (listener) => void listeners.add(listener),
    first: (what, fits) =>
      changes.until(what, () => events.find(fits) ?? (ended ? new Error(`socketpod dev ended before: ${what}`) : undefined)),
    stop: () => {
      child.kill('SIGTERM');
      return exited;
    },
    exited,
  };
}

async function exitOf(child: ChildProcess): Promise<number | null> {
  const [code] = await once(child, 'exit');
  return code;
}

/** What a client saw last: a close frame, or the HTTP status of a refusal. */
export interface ClientEnd {
  readonly closeCode: number | undefined;
  readonly closeReason: string;
  readonly httpStatus: number | undefined;
}

/** A client of the demo. */
export interface Client {
  readonly socket: WebSocket;
  /** The connection's id, as the platform told it. */
  readonly id: string;
  /** The next message that has not been read yet. */
  next(): Promise<string | Buffer>;
  /** Sends a text and reads the next message as text. */
  ask(text: string): Promise<string>;
  ended(): Promise<ClientEnd>;
}

/** Connects; resolves when the socket is open, or has been refused. */
export async function connectClient(url: string): Promise<Client> {
  const socket = new WebSocket(url);
  const messages: (string | Buffer)[] = [];
  let id = '';
  let end: ClientEnd | undefined;
  const changes = changesOf();
  socket.on('upgrade', (response) => {
    id = String(response.headers['x-request-id']);
  });
  socket.on('unexpected-response', (request, response) => {
    id = String(response.headers['x-request-id']);
    end = { closeCode: undefined, closeReason: '', httpStatus: response.statusCode };
    request.destroy();
    changes.tell();
  });
  socket.on('message', (data: RawData, isBinary) => {
    messages.push(isBinary ? Buffer.from(data as Buffer) : data.toString());
    changes.tell();
  });
  socket.on('open', changes.tell);
  socket.on('error', changes.tell); // the end tells it
  socket.on('close', (code, reason) => {
    end ??= { closeCode: code, closeReason: reason.toString(), httpStatus: undefined };
    changes.tell();
  });
  const next = () => changes.until(`a message from ${url}`, () => messages.shift() ?? (end && new Error(`${url} ended before a message`)));
  await changes.until(`an answer from ${url}`, () => (socket.readyState === WebSocket.OPEN || end ? true : undefined));
  return {
    socket,
    id,
    next,
    ask: async (text) => {
      socket.send(text);
      return String(await next());
    },
    ended: () => changes.until(`the end of ${url}`, () => end),
  };
}

/** Waits for something that events bring about: `until` looks now and after each `tell`, and gives up after STEP_MS. */
function changesOf() {
  let next = Promise.withResolvers<void>();
  return {
    tell: () => {
      next.resolve();
      next = Promise.withResolvers();
    },
    until: async <T>(what: string, look: () => T | Error | undefined): Promise<T> => {
      let late = false;
      const timer = setTimeout(() => {
        late = true;
        next.resolve();
        next = Promise.withResolvers();
      }, STEP_MS);
      try {
        for (;;) {
          const value = look();
          if (value instanceof Error) throw value;
          if (value !== undefined) return value;
          if (late) throw new Error(`not within ${STEP_MS / 1000} s: ${what}`);
          await next.promise;
        }
      } finally {
        clearTimeout(timer);
      }
    },
  };
}
