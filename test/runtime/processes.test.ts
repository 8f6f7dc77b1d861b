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
