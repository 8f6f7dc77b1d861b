// How long a good client takes to open beside 2,000 that began and never go on: medians of 5 runs (npm run bench:stalled).
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Figures, HALF_OPEN, halfHello, stall } from '../hostile/stalled.ts';
import { certificateFor, writePair } from '../support/certificates.ts';

const RUNS = 5;
const COUNT = 2000;
const MIB = 2 ** 20;

function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;
}

const folder = mkdtempSync(join(tmpdir(), 'socketpod-'));
const { cert, key } = writePair(folder, 'tls', await certificateFor('proxy.example'));
const KINDS = { 'half-open handshakes': HALF_OPEN, 'TLS hellos that stall': halfHello(cert, key) };
for (const [name, kind] of Object.entries(KINDS)) {
  const runs: Figures[] = [];
  for (let i = 0; i < RUNS; i++) runs.push(await stall(COUNT, kind));
  const of = (what: (run: (typeof runs)[number]) => number) => median(runs.map(what)).toFixed(1);
  console.log(`${COUNT} ${name}, medians of ${RUNS} runs`);
  console.log(`  open, ms: ${of((run) => run.before)} before, ${of((run) => run.during)} during, slowest ${of((run) => run.slowest)}`);
  for (const at of ['before', 'during', 'after'] as const) {
    console.log(`  ${at}: ${of((run) => run.memory[at].held / MIB)} MiB held, RSS ${of((run) => run.memory[at].rss / MIB)} MiB`);
  }
}
rmSync(folder, { recursive: true });
