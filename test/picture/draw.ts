// `npm run picture`: a run on a real node with real clients, Prometheus beside it, and the overview's panels drawn from its answers.
import { writeFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { OVERVIEW } from '../../charts/monitoring/boards.ts';
import { startController } from '../support/controller.ts';
import { applyAll, functionObject, installCrd, kubectl, makeNamespace, startNodeProxy } from '../support/node.ts';
import { startPrometheus } from '../support/prometheus.ts';
import { ask } from './ask.ts';
import { type Crowd, load, randomBySeed } from './load.ts';
import { picture } from './svg.ts';

const FILE = join(import.meta.dirname, '..', '..', 'docs', 'overview.svg');
/** Length of the run and of a step of the panels (s). */
const SECONDS = Number(process.env.SOCKETPOD_PICTURE_SECONDS ?? 240);
const STEP = 3;
/** What Grafana would make of `$__rate_interval` at a scrape each second is less; over this the lines are calm. */
const RATE_INTERVAL = '30s';

const NODE = { image: 'localhost/node-echo:1', command: ['node', 'server.js'], resources: { limits: { memory: '128Mi' } } };
const STATIC = { resources: { limits: { memory: '16Mi' } } };

const FUNCTIONS: Readonly<Record<string, readonly object[]>> = {
  'team-a': [
    functionObject('terminal', NODE, { warmPods: 4, idleTimeoutSeconds: 600, maxMessagesPerSecond: 100 }),
    functionObject('notebook', NODE, { idleTimeoutSeconds: 10, maxMessagesPerSecond: 100 }),
  ],
  'team-b': [
    functionObject('game', STATIC, { maxConnections: 5, maxMessagesPerSecond: 8 }),
    functionObject('agent', STATIC, { warmPods: 2, idleTimeoutSeconds: 10 }),
  ],
};

/** A swell in the middle of the run. */
const swell = (low: number, high: number) => (part: number) => low + (high - low) * Math.sin(Math.min(part, 1) * Math.PI) ** 4;

const CROWDS: readonly Crowd[] = [
  { path: '/team-a/terminal', comes: swell(0.1, 0.25), stays: 25, says: 3, ends: { closes: 8, leaves: 2, drops: 1 } },
  { path: '/team-a/notebook', comes: swell(0.04, 0.1), stays: 20, says: 1, ends: { closes: 4, 'falls silent': 2, leaves: 1 } },
  { path: '/team-b/game', comes: swell(0.08, 0.35), stays: 15, says: 12, ends: { closes: 9, drops: 2 } },
  {
    path: '/team-b/agent',
    comes: () => 0.12,
    stays: 12,
    says: 0.5,
    ends: { closes: 6, 'sends too much': 1, 'finds it dead': 1, leaves: 1 },
  },
  { path: '/team-b/no-such', comes: () => 0.03, stays: 1, says: 1, ends: { closes: 1 } },
];

await installCrd();
for (const [namespace, functions] of Object.entries(FUNCTIONS)) {
  await makeNamespace(namespace);
  applyAll(namespace, functions);
}
const controller = await startController(process.env.KUBECONFIG ?? '');
const proxy = await startNodeProxy();
const prometheus = await startPrometheus([proxy, controller].map(({ adminPort }) => `127.0.0.1:${adminPort}`));
for (const [namespace, functions] of Object.entries(FUNCTIONS)) {
  for (const fn of functions) await proxy.serves(`${namespace}/${(fn as { metadata: { name: string } }).metadata.name}`);
}

const from = Math.ceil(Date.now() / 1000);
await load(`ws://127.0.0.1:${proxy.port}`, CROWDS, SECONDS, randomBySeed(7));
const variables = { namespace: '.*', function: '.*', range: `${SECONDS}s`, rateInterval: RATE_INTERVAL };
const rows = await ask(prometheus, OVERVIEW.rows.slice(0, 4), { from, seconds: SECONDS, step: STEP, variables });
const count = Object.values(FUNCTIONS).flat().length;
const notes = [
  "Drawn by npm run picture from a real Prometheus' answers to the queries of the dashboard's panels. Not a screenshot of Grafana.",
  `A run of ${SECONDS / 60} minutes on one node of ${availableParallelism()} cores, ${count} functions, clients at random. Times are minutes of the run; rates are over ${RATE_INTERVAL}.`,
];
writeFileSync(FILE, picture('Socketpod / Overview', notes, rows, { seconds: SECONDS, step: STEP }));
console.log(`wrote ${FILE}`);
await prometheus.stop();
await proxy.stop();
await controller.stop();
kubectl(['delete', 'wsf', '-A', '--all']);
process.exit(0); // clients that have not gone go with it
