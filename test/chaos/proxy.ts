// Starts the proxy of the chaos tests and asks it.
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { until } from '../support/ports.ts';
import type { Look, Weight } from './proxy-process.ts';

/** A proxy in a process of its own. */
export interface ChaosProxy {
  readonly port: number;
  /** Waits until no connection is left, and no socket and timer beyond those of the start; gives what was told since the last time. */
  quiet(): Promise<Look>;
  weigh(): Promise<Weight>;
  /** Stops it; gives its exit code or signal, or says that it did not end. */
  stop(): Promise<number | string>;
  /** In case the test failed. */
  kill(): void;
}

/** Starts it. argv as proxy-process.ts says; `env` is added to its environment and its functions'. */
export async function startChaosProxy(argv: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<ChaosProxy> {
  const child = fork(join(import.meta.dirname, 'proxy-process.ts'), argv, {
    execPath: process.execPath,
    execArgv: ['--disable-warning=ExperimentalWarning'], // v8.queryObjects
    env: { ...process.env, ...env },
  });
  const exited = once(child, 'exit').then(([code, signal]): number | string => code ?? signal);
  const answer = async () => {
    const [message] = await Promise.race([once(child, 'message'), exited.then((code) => [`ended with ${code}`])]);
    if (typeof message === 'string' && message !== 'ready') throw new Error(`the proxy ${message}`);
    return message;
  };
  const ask = <T>(word: string): Promise<T> => {
    child.send(word);
    return answer();
  };
  await answer();
  const first = await ask<Look>('look');
  const atRest = first.resources.toSorted().join(' ');
  return {
    port: first.port,
    async quiet() {
      let last = await ask<Look>('look');
      const looks = [last];
      const left = () => `${last.connections} connections, ${last.resources.toSorted().join(' ')}`;
      await until(
        'nothing is left',
        async () => {
          if (left() === `0 connections, ${atRest}`) return true;
          last = await ask<Look>('look');
          looks.push(last);
          return false;
        },
        15_000,
      ).catch((error: Error) => {
        throw new Error(`${error.message}: ${left()}`);
      });
      return { ...last, records: looks.flatMap(({ records }) => records), violations: looks.flatMap(({ violations }) => violations) };
    },
    weigh: () => ask<Weight>('weigh'),
    async stop() {
      child.send('stop');
      const late = new AbortController();
      const timeout = once(AbortSignal.any([AbortSignal.timeout(10_000), late.signal]), 'abort').then(() => 'did not end by itself');
      const end = await Promise.race([exited, timeout]);
      late.abort();
      return end;
    },
    kill: () => void child.kill('SIGKILL'),
  };
}
