// A proxy in a process of its own, so that what it leaves behind can be seen. argv: the port of the functions' server; without it each
// connection gets a process. On `look` it tells what is left and what was recorded since; on `stop` it stops, and must end by itself.
import { join } from 'node:path';
import type { CompleteSpec } from '../../src/api/types.ts';
import { attachRuntime } from '../../src/runtime/attach.ts';
import { processRuntime } from '../../src/runtime/processes.ts';
import { served, startProxy } from '../support/proxy.ts';
import type { Recorded } from './run.ts';

/** What it tells. */
export interface Look {
  readonly port: number;
  readonly records: readonly Recorded[];
  readonly connections: number;
  /** What keeps the process alive, as Node names it. */
  readonly resources: readonly string[];
  /** Bytes in use after a collection. */
  readonly held: number;
}

const [port, initTimeoutSeconds] = process.argv[2] ? [Number(process.argv[2]), 0.4] : [0, 5];
const own = `exec ${process.execPath} ${join(import.meta.dirname, 'function.ts')}`;
const fn = (name: string, part: Partial<CompleteSpec> = {}, devCommand = own) =>
  served(name, { initTimeoutSeconds, maxConnections: 5000, ...part }, { devCommand, folder: process.cwd() });

const functions = [
  fn('echo'),
  fn('small', { maxMessageBytes: 2000, maxMessagesPerSecond: 50, maxBytesPerSecond: 20_000, onRateExceeded: 'Close' }),
  fn('throttled', { maxMessagesPerSecond: 500, maxBytesPerSecond: 500_000 }),
  fn('short', { idleTimeoutSeconds: 0.2, executionTimeoutSeconds: 0.4 }),
  fn('full', { maxConnections: 2 }),
  fn('off', { maxConnections: 0 }),
  fn('exits', {}, 'exit 3'),
  fn('never', { initTimeoutSeconds: 0.4 }, 'exec sleep 1000'),
];

const runtime = port ? attachRuntime('127.0.0.1', port) : processRuntime(() => {});
const proxy = await startProxy(runtime, functions, 1000);

process.on('message', async (word) => {
  if (word === 'stop') {
    await proxy.stop();
    process.disconnect();
    return;
  }
  globalThis.gc?.();
  await new Promise((resolve) => setTimeout(resolve, 20)); // buffers are given back by a thread of V8 after the collection
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  const records = proxy.records.splice(0).map(({ id, reason, httpStatus }) => ({ id, reason, httpStatus }));
  const look: Look = {
    port: proxy.port,
    records,
    connections: proxy.services.registry.size,
    resources: process.getActiveResourcesInfo(),
    held: heapUsed + arrayBuffers,
  };
  process.send?.(look);
});
process.send?.('ready');
