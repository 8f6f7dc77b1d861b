// Ten thousand connections on which both sides do what they want, against one proxy and a server that runs already: each is recorded
// once, each client that waits is answered, and nothing is left of any.
import type { Socket } from 'node:net';
import { expect, it, onTestFinished } from 'vitest';
import { listenAnywhere, until } from '../support/ports.ts';
import { chaosFunctions } from './function.ts';
import { startChaosProxy } from './proxy.ts';
import { chaosSeed, faults, playClients } from './run.ts';

const ROUNDS = 4;
const CONNECTIONS = 2500;
/** What one connection may leave, on the average of many, in bytes: V8 keeps or drops up to 1 MB of compiled code in between. */
const LEFT_BYTES = 256;

const WEIGHTED = [
  'echo',
  'echo',
  'echo',
  'echo',
  'echo',
  'echo',
  'small',
  'small',
  'throttled',
  'throttled',
  'short',
  'brief',
  'full',
  'off',
];

it('leaves nothing, whatever clients and functions do', { timeout: 120_000 }, async () => {
  const seed = chaosSeed();
  const sockets = new Set<Socket>();
  const server = chaosFunctions(sockets, false);
  const proxy = await startChaosProxy([String(await listenAnywhere(server))]);
  onTestFinished(() => {
    proxy.kill();
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  const scene = { paths: WEIGHTED.map((name) => `/test/${name}`), texts: [] };
  const weights: number[] = [];
  const reasons = new Map<string, number>();
  for (let round = 0; round < ROUNDS; round++) {
    const chaos = { port: proxy.port, scene, seed: seed + round * CONNECTIONS, connections: CONNECTIONS, atOnce: 50 };
    const begun = performance.now();
    const played = await playClients(chaos, sockets);
    const look = await proxy.quiet();
    expect(faults(played, look), `round ${round}`).toEqual([]);
    for (const { reason } of look.records) reasons.set(reason, (reasons.get(reason) ?? 0) + 1);
    const { connections, bytes } = await proxy.weigh();
    expect(connections, 'connections that are still in memory').toBe(0);
    weights.push(bytes);
    console.log(`round ${round}: ${(performance.now() - begun).toFixed(0)} ms, the proxy holds ${(bytes / 1024).toFixed(0)} KiB`);
    for (const socket of sockets) socket.resume();
    await until('the proxy has closed every socket', () => [...sockets].every((socket) => socket.readableEnded || socket.destroyed));
    for (const socket of sockets) socket.destroy();
  }
  const sorted = [...reasons].sort(([, one], [, other]) => other - one);
  console.log(sorted.map(([reason, count]) => `${reason} ${count}`).join(', '));
  const [, second = 0] = weights;
  expect(((weights.at(-1) ?? 0) - second) / ((ROUNDS - 2) * CONNECTIONS)).toBeLessThan(LEFT_BYTES);
  expect(await proxy.stop()).toBe(0);
});
