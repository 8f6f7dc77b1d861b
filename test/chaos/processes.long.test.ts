// The same with a process for each connection, which may end at any moment too: no process is left.
import { randomUUID } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import type { Socket } from 'node:net';
import { expect, it, onTestFinished } from 'vitest';
import { until } from '../support/ports.ts';
import { startChaosProxy } from './proxy.ts';
import { chaosSeed, faults, playClients } from './run.ts';

const WEIGHTED = ['echo', 'echo', 'echo', 'echo', 'echo', 'small', 'short', 'brief', 'full', 'off', 'exits', 'never'];

/** Processes that have this word in their environment, which children inherit. */
function processesWith(word: string): number[] {
  const has = (pid: string) => {
    try {
      return readFileSync(`/proc/${pid}/environ`, 'latin1').includes(word);
    } catch {
      return false; // it has just ended, or belongs to somebody else
    }
  };
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name) && has(name))
    .map(Number);
}

it('leaves no process, whatever clients and functions do', { timeout: 120_000 }, async () => {
  const seed = chaosSeed();
  const sockets = new Set<Socket>();
  const mark = `SOCKETPOD_CHAOS_RUN=${randomUUID()}`;
  const proxy = await startChaosProxy([], Object.fromEntries([mark.split('=')]));
  onTestFinished(() => {
    proxy.kill();
    for (const socket of sockets) socket.destroy();
  });
  const scene = { paths: WEIGHTED.map((name) => `/test/${name}`), texts: [] };
  const played = await playClients({ port: proxy.port, scene, seed, connections: 300, atOnce: 16 }, sockets);
  expect(processesWith(mark).length, 'functions are found, the proxy is').toBeGreaterThan(0);
  const look = await proxy.quiet();
  expect(faults(played, look)).toEqual([]);
  expect(new Set(look.records.map(({ reason }) => reason))).toContain('function_exited');
  await until('only the proxy is left', () => processesWith(mark).length === 1);
  expect(await proxy.stop()).toBe(0);
});
