// What every runtime does (runtime.ts): one list of cases, run for each of them in a file of its own.
import { once } from 'node:events';
import { expect, it } from 'vitest';
import type { ServedFunction } from '../../src/core/served.ts';
import type { Backend, Runtime, Started } from '../../src/runtime/runtime.ts';
import { until } from '../support/ports.ts';
import { upgradeHead } from '../support/raw-client.ts';

/** A runtime to be tested, with functions for it. */
export interface Subject {
  readonly runtime: Runtime;
  /** A function that answers an upgrade with a 101. */
  readonly works: ServedFunction;
  /** A function that never opens its port; undefined where the runtime starts nothing. */
  readonly never: ServedFunction | undefined;
  /** Has each start a backend of its own, which `stop` ends? */
  readonly ownBackends: boolean;
  /** Is anything left that the runtime started? */
  empty(): boolean | Promise<boolean>;
  /** After `runtime.close()`. */
  dispose(): Promise<void>;
}

let ids = 0;

function start(subject: Subject, fn = subject.works, signal = AbortSignal.timeout(60_000)): Promise<Started> {
  return subject.runtime.start({ fn, connectionId: `contract-${++ids}`, signal });
}

function backendOf(started: Started): Backend {
  if (!started.ok) throw new Error(`${started.reason}: ${started.detail}`);
  return started.backend;
}

/** The first line of the function's answer to an upgrade. */
async function answerOf({ socket }: Backend): Promise<string> {
  socket.write(upgradeHead());
  const [first] = (await once(socket, 'data')) as [Buffer];
  return first.toString('latin1').split('\r\n')[0] ?? '';
}

type Case = readonly [sentence: string, run: (subject: Subject) => Promise<void>];

const CASES: readonly Case[] = [
  [
    'gives an open socket to the function on which nothing has gone',
    async (subject) => {
      const backend = backendOf(await start(subject));
      expect(backend.socket).toMatchObject({ readyState: 'open', bytesRead: 0, bytesWritten: 0, allowHalfOpen: true });
      expect(await answerOf(backend)).toMatch(/^HTTP\/1\.1 101 /);
      backend.socket.destroy();
      backend.stop(false);
    },
  ],
  [
    'tells the name of the backend, how it was started and how long that took',
    async (subject) => {
      const backend = backendOf(await start(subject));
      expect(backend.name).toMatch(/\S/);
      expect(['cold', 'warm']).toContain(backend.start);
      expect(backend.stages.port).toBeGreaterThanOrEqual(0);
      expect(backend.noted()).toBeUndefined();
      backend.socket.destroy();
      backend.stop(false);
    },
  ],
  [
    'gives each of many connections a socket of its own',
    async (subject) => {
      const backends = (await Promise.all(Array.from({ length: 5 }, () => start(subject)))).map(backendOf);
      expect(new Set(backends.map(({ socket }) => socket)).size).toBe(5);
      if (subject.ownBackends) expect(new Set(backends.map(({ name }) => name)).size).toBe(5);
      expect(await Promise.all(backends.map(answerOf))).toEqual(Array(5).fill(expect.stringContaining(' 101 ')));
      for (const backend of backends) {
        backend.socket.destroy();
        backend.stop(false);
      }
    },
  ],
  [
    'ends a backend when it is told to, and as well when it is told again',
    async (subject) => {
      const backend = backendOf(await start(subject));
      const gone = new Promise((resolve) =>
        backend.socket
          .on('error', () => {})
          .once('close', resolve)
          .once('end', resolve),
      );
      backend.socket.resume();
      backend.stop(false);
      backend.stop(true);
      if (subject.ownBackends) await gone;
      backend.socket.destroy();
      await until('nothing is left of it', () => subject.empty(), 60_000);
    },
  ],
  [
    'calls a drop without a visible cause a drop, within the time that it is given',
    async (subject) => {
      const backend = backendOf(await start(subject));
      backend.socket.destroy();
      expect(await backend.cause(50)).toEqual({ reason: 'function_dropped', detail: '', lastWords: '' });
      backend.stop(false);
    },
  ],
  [
    'answers a start that was given up before it began, and leaves nothing',
    async (subject) => {
      expect(await start(subject, subject.works, AbortSignal.abort())).toMatchObject({ ok: false, detail: expect.stringMatching(/./) });
      await until('nothing is left of it', () => subject.empty(), 60_000);
    },
  ],
  [
    'answers a start that is given up while it waits for the port, and leaves nothing',
    async (subject) => {
      if (!subject.never) return;
      const started = await start(subject, subject.never, AbortSignal.timeout(300));
      expect(started).toMatchObject({ ok: false, detail: expect.stringMatching(/./) });
      await until('nothing is left of it', () => subject.empty(), 60_000);
    },
  ],
  // Nobody listens for errors here: a reset of a socket that its owner has not taken up yet must not be uncaught.
  [
    'leaves nothing when it is closed while backends run',
    async (subject) => {
      const backends = (await Promise.all([start(subject), start(subject)])).map(backendOf);
      await subject.runtime.close(60_000);
      expect(await subject.empty()).toBe(true);
      for (const { socket } of backends) socket.destroy();
    },
  ],
];

/** Runs the list; `make` is called anew for each case. */
export function runContract(make: () => Promise<Subject>): void {
  it.each(CASES)('%s', async (_sentence, run) => {
    const subject = await make();
    try {
      await run(subject);
    } finally {
      await subject.runtime.close(60_000);
      await subject.dispose();
    }
  });
}
