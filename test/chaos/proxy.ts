// Starts the proxy of the chaos tests and asks it.
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { until } from '../support/ports.ts';
import type { Look } from './proxy-process.ts';

/** A proxy in a process of its own. */
export interface ChaosProxy {
  readonly port: number;
  /** Waits until no connection is left, and no socket and timer beyond those of the start; gives what was recorded since the last time. */
  quiet(): Promise<Look>;
  /** Stops it; gives its exit code, or signal, or that it did not end. */
  stop(): Promise<number | string>;
  /** In case the test failed. */
  kill(): void;
}

/** Starts it. argv as proxy-process.ts says; `env` is added to its environment and its functions'. */
export async function startChaosProxy(argv: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<ChaosProxy> {
  const child = fork(join(import.meta.dirname, 'proxy-process.ts'), argv, {
    execPath: process.execPath,
    execArgv: ['--expose-gc'],
    env: { ...process.env, ...env },
  });
  const exited = once(child, 'exit').then(([code, signal]): number | string => code ?? signal);
  const look = async () => {
    child.send('look');
    const answer = await Promise.race([once(child, 'message'), exited]);
    if (!Array.isArray(answer)) throw new Error(`the proxy ended with ${answer}`);
    return answer[0] as Look;
  };
  await once(child, 'message');
  /** Pipes are the channel to this process and the standard streams. */
  const kept = ({ resources }: Look) =>
    resources
      .filter((name) => name !== 'PipeWrap')
      .sort()
      .join(' ');
  const first = await look();
  const atRest = kept(first);
  return {
    port: first.port,
    async quiet() {
      const records: Look['records'][number][] = [];
      let last = await look();
      records.push(...last.records);
      await until(
        `nothing is left but ${atRest}`,
        async () => {
          if (last.connections === 0 && kept(last) === atRest) return true;
          last = await look();
          records.push(...last.records);
          return false;
        },
        15_000,
      ).catch((error) => {
        throw new Error(`${error.message}: ${last.connections} connections, ${kept(last)}`);
      });
      return { ...last, records };
    },
    async stop() {
      child.send('stop');
      const late = new AbortController();
      const end = await Promise.race([
        exited,
        once(AbortSignal.any([AbortSignal.timeout(10_000), late.signal]), 'abort').then(() => 'did not end by itself'),
      ]);
      late.abort();
      return end;
    },
    kill: () => void child.kill('SIGKILL'),
  };
}
