// The proxy's CPU time per echoed message, and which part of it scanning and metering are. Proxy, echo server and load generator are
// processes of their own; the CPU time is the proxy's alone, as the kernel counts it (Linux: /proc).
// usage: node test/bench/relay.ts [--against FOLDER]: another checkout, measured in turn with this one
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { MAIN } from '../support/dev.ts';
import { median, printTable, size } from './figures.ts';
import { type FrameCost, frameCosts, printFrameCosts, SIZES } from './frames.ts';
import { ask, end, forkHere, startScene } from './scene.ts';

const CONNECTIONS = 64;
const RUNS = 5;
const WARM_UP_MS = 1000;
const RUN_MS = 1500;
/** The kernel tells CPU time in ticks of so many microseconds. */
const TICK_US = 10_000;

const { values } = parseArgs({ options: { against: { type: 'string' } } });

function cpuMicroseconds(pid: number | undefined): number {
  const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
  const [user, system] = stat
    .slice(stat.lastIndexOf(')') + 2)
    .split(' ')
    .slice(11, 13);
  return (Number(user) + Number(system)) * TICK_US;
}

/** CPU microseconds per echoed message, one for each size. */
async function costs(main: string): Promise<number[]> {
  const { dev, stop } = await startScene({ node: [main] });
  const costs: number[] = [];
  for (const bytes of SIZES) {
    const load = forkHere('load.ts', [dev.port, CONNECTIONS, bytes]);
    await new Promise((resolve) => load.once('message', resolve)); // all are open
    await pause(WARM_UP_MS);
    const before = { messages: await ask<number>(load, 'messages'), cpu: cpuMicroseconds(dev.child.pid) };
    await pause(RUN_MS);
    const after = { messages: await ask<number>(load, 'messages'), cpu: cpuMicroseconds(dev.child.pid) };
    costs.push((after.cpu - before.cpu) / (after.messages - before.messages));
    await end(load);
  }
  await stop();
  return costs;
}

const column = (runs: readonly number[][], at: number) => runs.map((run) => run[at] ?? Number.NaN);
const spread = (figures: readonly number[], digits: number) =>
  `${median(figures).toFixed(digits)} (${Math.min(...figures).toFixed(digits)} to ${Math.max(...figures).toFixed(digits)})`;

async function shareOfMetering(): Promise<void> {
  const frames = frameCosts();
  printFrameCosts(frames);
  const runs: number[][] = [];
  for (let i = 0; i < RUNS; i++) runs.push(await costs(MAIN));
  console.log(`CPU microseconds of the proxy per echoed message, ${CONNECTIONS} connections, median of ${RUNS} (least to most);`);
  console.log('and what scanning and metering its two frames take of it, by the table above');
  printTable([
    ['message', 'CPU µs', 'scanner + meter, µs', 'part'],
    ...SIZES.map((bytes, i) => {
      const relay = column(runs, i);
      const { up, down } = frames.find((cost) => cost.bytes === bytes) as FrameCost; // the first: one message a read
      const metering = (up + down) / 1000;
      return [size(bytes), spread(relay, 1), metering.toFixed(2), `${((100 * metering) / median(relay)).toFixed(1)} %`];
    }),
  ]);
}

async function compare(folder: string): Promise<void> {
  const here: number[][] = [];
  const there: number[][] = [];
  for (let i = 0; i < RUNS; i++) {
    here.push(await costs(MAIN));
    there.push(await costs(join(folder, 'src', 'main.ts')));
  }
  console.log(
    `CPU microseconds of the proxy per echoed message, ${CONNECTIONS} connections, ${RUNS} pairs in turn: median (least to most)`,
  );
  printTable([
    ['message', 'here', 'there', 'here / there, pair by pair'],
    ...SIZES.map((bytes, i) => [
      size(bytes),
      spread(column(here, i), 1),
      spread(column(there, i), 1),
      spread(
        column(here, i).map((cost, pair) => cost / (column(there, i)[pair] ?? Number.NaN)),
        2,
      ),
    ]),
  ]);
}

if (values.against === undefined) await shareOfMetering();
else await compare(values.against);
