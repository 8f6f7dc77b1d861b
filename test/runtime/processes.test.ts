// Local processes keep the contract of a runtime; and what is theirs alone: output, environment, folder.
import { readdirSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { describe, expect, it } from 'vitest';
import { processRuntime } from '../../src/runtime/processes.ts';
import { until } from '../support/ports.ts';
import { served } from '../support/proxy.ts';
import { SWITCHING } from '../support/raw-client.ts';
import { runContract } from './contract.ts';

const SERVER = `require('net').createServer((s) => s.on('error', () => {}).once('data', () => s.write(${JSON.stringify(SWITCHING)}))).listen(process.env.PORT, '127.0.0.1')`;

let runs = 0;

/** Pids of living processes whose environment has this mark. */
function marked(mark: string): string[] {
  return readdirSync('/proc').filter((pid) => {
    try {
      return /^[0-9]+$/.test(pid) && readFileSync(`/proc/${pid}/environ`, 'latin1').includes(`MARK=${mark}`);
    } catch {
      return false; // gone meanwhile
    }
  });
}

describe('the runtime of local processes', () => {
  runContract(async () => {
    const mark = `${process.pid}-${++runs}`;
    const fn = (name: string, command: string[]) =>
      served(name, { template: { spec: { containers: [{ name: 'f', command, env: [{ name: 'MARK', value: mark }] }] } } });
    return {
      runtime: processRuntime(() => {}),
      works: fn('works', [process.execPath, '-e', SERVER]),
      never: fn('never', ['/bin/sleep', '1000']),
      ownBackends: true,
      empty: () => marked(mark).length === 0,
      dispose: async () => expect(marked(mark)).toEqual([]),
    };
  });

  it('tells each line of output with its function and connection, and runs in the folder of the file', async () => {
    const lines: string[] = [];
    const runtime = processRuntime((fn, id, line) => void lines.push(`${fn.name} ${id}: ${line}`));
    const fn = served(
      'talks',
      {},
      { devCommand: 'pwd; echo "$PORT $SOCKETPOD_NAMESPACE/$SOCKETPOD_FUNCTION" >&2; printf end', folder: tmpdir() },
    );
    const started = await runtime.start({ fn, connectionId: 'c1', signal: AbortSignal.timeout(10_000) });
    expect(started).toMatchObject({ ok: false, reason: 'container_exited', detail: 'exit code 0 before its port opened' });
    await until('all lines have come', () => lines.length === 3);
    expect(lines).toEqual(
      expect.arrayContaining([`talks c1: ${tmpdir()}`, 'talks c1: end', expect.stringMatching(/^talks c1: [0-9]+ test.talks$/)]),
    );
    await runtime.close(1000);
  });

  it('fails a start whose folder or program does not exist', async () => {
    const runtime = processRuntime(() => {});
    const command = ['/no/such/program'];
    const missing = served('missing', { template: { spec: { containers: [{ name: 'f', command }] } } });
    for (const fn of [missing, served('nowhere', {}, { devCommand: 'true', folder: '/no/such/folder' })]) {
      const started = await runtime.start({ fn, connectionId: 'c1', signal: AbortSignal.timeout(10_000) });
      expect(started).toMatchObject({ ok: false, reason: 'container_start_failed', detail: expect.stringContaining('ENOENT') });
    }
    await runtime.close(1000);
  });
});

describe('the last words of a local process', () => {
  /** A function that does this at SIGTERM. */
  const atTerm = (end: string) =>
    `exec ${process.execPath} -e 'process.on("SIGTERM", () => { console.log("bye"); ${end} }); require("net").createServer(() => {}).listen(process.env.PORT, "127.0.0.1")'`;

  const COUNTED = Array.from({ length: 100_000 }, (_, i) => `${i + 1}\n`).join('');

  it.each<[string, string, string, string]>([
    ['both its streams', 'echo one; sleep 0.05; echo two >&2; exit 7', 'exit code 7 before its port opened', 'one\ntwo'],
    ['a line without an end', 'printf "no end"; exit 1', 'exit code 1 before its port opened', 'no end'],
    ['nothing', 'exit 1', 'exit code 1 before its port opened', ''],
    ['an exit that is no error', 'echo bye; exit 0', 'exit code 0 before its port opened', ''],
    ['much', 'seq 1 100000; exit 2', 'exit code 2 before its port opened', COUNTED.slice(-1024).trim()],
    ['a pipe that another process holds open', 'setsid sleep 3 & echo bye; exit 3', 'exit code 3 before its port opened', 'bye'],
  ])('before its port opened: %s', async (_what, devCommand, detail, lastWords) => {
    const runtime = processRuntime(() => {});
    const fn = served('dies', {}, { devCommand });
    const started = await runtime.start({ fn, connectionId: 'c1', signal: AbortSignal.timeout(10_000) });
    expect(started).toEqual({ ok: false, reason: 'container_exited', detail, lastWords });
    await runtime.close(1000);
  });

  it.each([
    ['process.exit(7)', 'function_exited', 'exit code 7', 'bye'],
    ['process.kill(process.pid, "SIGKILL")', 'function_exited', 'exit code 137', 'bye'],
    ['process.exit(0)', 'function_dropped', 'exit code 0', ''],
  ])('after its port opened: %s', async (end, reason, detail, lastWords) => {
    const runtime = processRuntime(() => {});
    const fn = served('dies', {}, { devCommand: atTerm(end) });
    const started = await runtime.start({ fn, connectionId: 'c1', signal: AbortSignal.timeout(10_000) });
    if (!started.ok) throw new Error(started.detail);
    started.backend.stop(true);
    expect(await started.backend.cause(5000)).toEqual({ reason, detail, lastWords });
    started.backend.socket.destroy();
    await runtime.close(1000);
  });
});
