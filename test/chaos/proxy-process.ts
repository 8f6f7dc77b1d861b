// A proxy in a process of its own, so that what it leaves behind can be seen. argv: the port of the functions' server; without it each
// connection gets a process. It answers `look` and `weigh`; on `stop` it stops, and must end by itself.
import { join } from 'node:path';
import { queryObjects } from 'node:v8';
import type { CompleteSpec } from '../../src/api/types.ts';
import { Connection } from '../../src/proxy/connection.ts';
import type { Violation } from '../../src/proxy/record.ts';
import { attachRuntime } from '../../src/runtime/attach.ts';
import { processRuntime } from '../../src/runtime/processes.ts';
import { served, startProxy } from '../support/proxy.ts';
import type { Recorded } from './run.ts';

/** What was told since the last look, and what is going on. */
export interface Look {
  readonly port: number;
  readonly records: readonly Recorded[];
  readonly violations: readonly Violation[];
  readonly connections: number;
  /** What keeps the process alive, as Node names it; pipes are the channel to the test and the standard streams. */
  readonly resources: readonly string[];
}

/** What is in memory after a collection. */
export interface Weight {
  /** Connections that somebody still knows. */
  readonly connections: number;
  readonly bytes: number;
}

const [port, initTimeoutSeconds] = process.argv[2] ? [Number(process.argv[2]), 0.4] : [0, 5];
const own = `exec ${process.execPath} ${join(import.meta.dirname, 'function.ts')}`;
const fn = (name: string, part: Partial<CompleteSpec> = {}, devCommand = own) =>
  served(name, { initTimeoutSeconds, maxConnections: 5000, ...part }, { devCommand, folder: process.cwd() });

/** Whoever stays is not waited for longer than that. */
const patient = { idleTimeoutSeconds: 1 };
const functions = [
  fn('echo', patient),
  fn('small', { ...patient, maxMessageBytes: 2000, maxMessagesPerSecond: 50, maxBytesPerSecond: 20_000, onRateExceeded: 'Close' }),
  fn('throttled', { ...patient, maxMessageBytes: 50_000, maxMessagesPerSecond: 40, maxBytesPerSecond: 50_000 }),
  fn('short', { idleTimeoutSeconds: 0.2 }),
  fn('brief', { ...patient, executionTimeoutSeconds: 0.2 }),
  fn('full', { ...patient, maxConnections: 2, refuseWith: 'CloseFrame' }),
  fn('off', { maxConnections: 0, refuseWith: 'CloseFrame' }),
  fn('exits', {}, 'exit 3'),
  fn('never', { initTimeoutSeconds: 0.4 }, 'exec sleep 1000'),
];

const runtime = port ? attachRuntime('127.0.0.1', port) : processRuntime(() => {});
const proxy = await startProxy(runtime, functions, { headTimeoutMs: 1000 });

function look(): Look {
  return {
    port: proxy.port,
    records: proxy.records.splice(0).map(({ id, reason, httpStatus }) => ({ id, reason, httpStatus })),
    violations: proxy.violations.splice(0),
    connections: proxy.services.registry.size,
    resources: process.getActiveResourcesInfo().filter((name) => name !== 'PipeWrap'),
  };
}

function weigh(): Weight {
  const connections = queryObjects(Connection, { format: 'count' }); // it collects all garbage before it counts
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  return { connections, bytes: heapUsed + arrayBuffers };
}

process.on('message', async (word) => {
  if (word === 'look') process.send?.(look());
  else if (word === 'weigh') process.send?.(weigh());
  else {
    await proxy.stop();
    process.disconnect();
  }
});
process.send?.('ready');
