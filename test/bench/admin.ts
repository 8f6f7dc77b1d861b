// How long the relay is held when somebody asks the admin port while 5,000 connections are open: the longest delay of the proxy's
// event loop around each answer, and the longest without one.
import { once } from 'node:events';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { type Dev, MAIN } from '../support/dev.ts';
import { median, printTable } from './figures.ts';
import { end, forkHere, startScene } from './scene.ts';

const CONNECTIONS = 5000;
const ROUNDS = 9;
const PATHS = ['', '/metrics', '/connections'];

/** The longest delay since it was asked last, in ms. */
async function longestDelay(dev: Dev): Promise<number> {
  const before = dev.events.length;
  dev.child.kill('SIGUSR2');
  const { ms } = await dev.event('loop delay', (event) => dev.events.indexOf(event) >= before);
  return Number(ms);
}

const { dev, stop } = await startScene({
  args: ['--admin', '127.0.0.1:0'],
  node: ['--import', join(import.meta.dirname, 'loop-delay.ts'), MAIN],
});
const { admin } = await dev.event('listening');
const clients = forkHere('open.ts', [dev.port, CONNECTIONS]);
await once(clients, 'message');
await pause(1000); // what opening left behind

const rows: string[][] = [];
for (const path of PATHS) {
  const delays: number[] = [];
  const took: number[] = [];
  let bytes = 0;
  for (let i = 0; i < ROUNDS; i++) {
    await longestDelay(dev);
    const begun = performance.now();
    if (path === '') await pause(100);
    else bytes = (await (await fetch(`http://${admin}${path}`)).arrayBuffer()).byteLength;
    took.push(performance.now() - begun);
    await pause(20);
    delays.push(await longestDelay(dev));
  }
  const kib = (bytes / 1024).toFixed(0);
  rows.push([path || 'nothing asked', median(delays).toFixed(1), Math.max(...delays).toFixed(1), median(took).toFixed(1), kib]);
}
console.log(`Event loop of the proxy with ${CONNECTIONS} open connections: longest delay in ms, ${ROUNDS} rounds`);
printTable([['asked', 'median', 'max', 'answer, ms', 'KiB'], ...rows]);
await end(clients);
await stop();
