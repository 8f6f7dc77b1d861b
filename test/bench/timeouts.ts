// How late close frames of timeouts come: 2,000 connections that open within 10 s, to a function with idleTimeoutSeconds 10 where
// nobody says anything, and to one with executionTimeoutSeconds 10 where each connection says something every second.
// usage: node test/bench/timeouts.ts [--runs 5]
import { once } from 'node:events';
import { parseArgs } from 'node:util';
import { median, percentile, printTable } from './figures.ts';
import { forkHere, startScene } from './scene.ts';

const CONNECTIONS = 2000;
const OPEN_MS = 10_000;
const SECONDS = 10;

interface Told {
  readonly late: number[];
  readonly own: number;
}

const { values } = parseArgs({ options: { runs: { type: 'string', default: '5' } } });
const runs = Number(values.runs);

async function run(kind: 'idle' | 'execution'): Promise<Told> {
  const spec = { idleTimeoutSeconds: SECONDS, ...(kind === 'execution' && { executionTimeoutSeconds: SECONDS }) };
  const scene = await startScene({ spec });
  const clients = forkHere('waiting.ts', [scene.dev.port, CONNECTIONS, OPEN_MS, SECONDS, kind]);
  const [told] = (await once(clients, 'message')) as [Told];
  await scene.stop();
  return told;
}

console.log(`ms from the due time (101 + ${SECONDS} s) to the close frame, ${CONNECTIONS} connections: median of ${runs} (least to most)`);
const rows: string[][] = [];
for (const kind of ['idle', 'execution'] as const) {
  const told: Told[] = [];
  for (let i = 0; i < runs; i++) told.push(await run(kind));
  const cell = (figure: (one: Told) => number) => {
    const figures = told.map(figure);
    return `${median(figures).toFixed(0)} (${Math.min(...figures).toFixed(0)} to ${Math.max(...figures).toFixed(0)})`;
  };
  const part = (at: number) => cell(({ late }) => percentile(late, at));
  rows.push([`${kind} timeout`, part(0.5), part(0.99), part(1), cell(({ own }) => own)]);
}
printTable([['', 'p50', 'p99', 'max', "client's own delay"], ...rows]);
