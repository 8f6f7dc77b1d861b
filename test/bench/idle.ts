// What connections cost the proxy that are open and say nothing: memory, and the CPU time to open and close one; without and with TLS.
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { certificateFor, writePair } from '../support/certificates.ts';
import { until } from '../support/ports.ts';
import { cpuMicroseconds } from './cpu.ts';
import { median, printTable } from './figures.ts';
import { end, forkHere, startScene } from './scene.ts';

/** The first ones fill caches and warm the code up; what comes on top of them is counted. */
const WARM_UP = 500;
const CONNECTIONS = 2500;
const RUNS = 3;

const folder = mkdtempSync(join(tmpdir(), 'socketpod-'));
const { cert, key } = writePair(folder, 'tls', await certificateFor('proxy.example'));

/** One run: KiB and CPU µs a connection. */
async function run(tls: boolean) {
  const { dev, stop } = await startScene({
    probed: true,
    args: tls ? ['--tls-listen', '127.0.0.1:0', '--tls-cert', cert, '--tls-key', key] : [],
  });
  const open = async (count: number) => {
    const clients = forkHere('open.ts', [tls ? dev.tlsPort : dev.port, count, tls ? 'tls' : 'plain']);
    await once(clients, 'message');
    return clients;
  };
  const first = await open(WARM_UP);
  const before = await dev.memory();
  const cpu = cpuMicroseconds(dev.child.pid);
  const rest = await open(CONNECTIONS);
  const opened = cpuMicroseconds(dev.child.pid);
  const after = await dev.memory();
  const closing = cpuMicroseconds(dev.child.pid);
  await end(rest);
  await until('all have ended', () => dev.events.filter(({ event }) => event === 'end').length >= CONNECTIONS, 60_000);
  const closed = cpuMicroseconds(dev.child.pid);
  await end(first);
  await stop();
  return {
    base: before.rss,
    held: (after.held - before.held) / CONNECTIONS / 1024,
    rss: (after.rss - before.rss) / CONNECTIONS / 1024,
    cpu: (opened - cpu + closed - closing) / CONNECTIONS,
  };
}

const rows: string[][] = [];
for (const tls of [false, true]) {
  const runs: Awaited<ReturnType<typeof run>>[] = [];
  for (let i = 0; i < RUNS; i++) runs.push(await run(tls));
  const middle = (of: (one: (typeof runs)[number]) => number, digits = 0) => median(runs.map(of)).toFixed(digits);
  rows.push([
    tls ? 'TLS' : 'plain',
    middle(({ rss }) => rss, 1),
    middle(({ held }) => held, 1),
    middle(({ cpu }) => cpu),
    middle(({ base }) => base / 1024 / 1024),
  ]);
}
console.log(`Proxy with idle connections, median of ${RUNS} runs; ${CONNECTIONS} on top of ${WARM_UP} (the last column: with these alone)`);
printTable([['', 'RSS, KiB each', 'heap and buffers, KiB each', 'CPU µs to open and close one', 'RSS, MiB'], ...rows]);
rmSync(folder, { recursive: true });
