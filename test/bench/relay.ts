// The proxy's CPU time per echoed message, and which part of it scanning and metering are. Proxy, echo server and load generator are
// processes of their own; the CPU time is the proxy's alone, as the kernel counts it (Linux: /proc).
// usage: node test/bench/relay.ts [--against FOLDER]: another checkout, measured in turn with this one
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { MAIN } from '../support/dev.ts';
import { cpuMicroseconds } from './cpu.ts';
import { median, printTable, size } from './figures.ts';
import { type FrameCost, frameCosts, printFrameCosts, SIZES } from './frames.ts';
import { ask, end, forkHere, startScene } from './scene.ts';

const CONNECTIONS = 64;
const RUNS = 5;
const WARM_UP_MS = 1000;
/** Of a version and size in a run: so many windows of so many ms, in turn with the other version's. */
const WINDOWS = 10;
const WINDOW_MS = 250;
/** Until what is under way at the end of a window has come back. */
const SETTLE_MS = 50;

const { values } = parseArgs({ options: { against: { type: 'string' } } });

/** CPU microseconds per echoed message: for each of these programs one for each size. */
async function costs(mains: readonly string[]): Promise<number[][]> {
  const scenes = await Promise.all(mains.map((main) => startScene({ node: [main] })));
  const told: number[][] = mains.map(() => []);
  for (const bytes of SIZES) {
    const loads = scenes.map(({ dev }) => ({ pid: dev.child.pid, child: forkHere('load.ts', [dev.port, CONNECTIONS, bytes]) }));
    await Promise.all(loads.map(({ child }) => once(child, 'message'))); // all are open
    for (const load of loads) await work(load, WARM_UP_MS);
    const sums = loads.map(() => ({ cpu: 0, messages: 0 }));
    for (let i = 0; i < WINDOWS; i++) {
      const turn = [...loads.entries()];
      for (const [at, load] of i % 2 === 0 ? turn : turn.reverse()) {
        const { cpu, messages } = await work(load, WINDOW_MS);
        const sum = sums[at] as { cpu: number; messages: number };
        sum.cpu += cpu;
        sum.messages += messages;
      }
    }
    for (const [at, { cpu, messages }] of sums.entries()) told[at]?.push(cpu / messages);
    for (const { child } of loads) await end(child);
  }
  for (const { stop } of scenes) await stop();
  return told;
}

/** Lets the load run for so long. */
async function work({ pid, child }: { pid: number | undefined; child: ChildProcess }, ms: number) {
  const cpu = cpuMicroseconds(pid);
  const before = await ask<number>(child, 'go');
  await pause(ms);
  await ask<number>(child, 'stop');
  await pause(SETTLE_MS);
  const messages = (await ask<number>(child, 'stop')) - before;
  return { cpu: cpuMicroseconds(pid) - cpu, messages };
}

const column = (runs: readonly number[][], at: number) => runs.map((run) => run[at] ?? Number.NaN);
const spread = (figures: readonly number[], digits: number) =>
  `${median(figures).toFixed(digits)} (${Math.min(...figures).toFixed(digits)} to ${Math.max(...figures).toFixed(digits)})`;

async function shareOfMetering(): Promise<void> {
  const frames = frameCosts();
  printFrameCosts(frames);
  const runs: number[][] = [];
  for (let i = 0; i < RUNS; i++) runs.push(...(await costs([MAIN])));
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
    const [ours = [], theirs = []] = await costs([MAIN, join(folder, 'src', 'main.ts')]);
    here.push(ours);
    there.push(theirs);
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
