// Local processes where something is amiss: no descriptor left, a start and the end of the runtime at once, children that do not obey.
import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import { processRuntime } from '../../src/runtime/processes.ts';
import type { Started, StartRequest } from '../../src/runtime/runtime.ts';
import { until } from '../support/ports.ts';
import { served } from '../support/proxy.ts';

const SERVER = `${process.execPath} -e 'require("net").createServer(() => {}).listen(process.env.PORT, "127.0.0.1", () => console.log(process.pid))'`;

function request(devCommand: string, signal = new AbortController().signal, seconds = 5): StartRequest {
  const template = { spec: { containers: [{ name: 'function' }], terminationGracePeriodSeconds: seconds } };
  return { fn: served('echo', { template }, { devCommand }), connectionId: 'id', signal };
}

/** A process that is there and no zombie. */
function lives(pid: number): boolean {
  try {
    return !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'));
  } catch {
    return false;
  }
}

function backendOf(started: Started) {
  if (!started.ok) throw new Error(`${started.reason}: ${started.detail}`);
  return started.backend;
}

describe('a closed runtime', () => {
  it('starts nothing any more', async () => {
    const lines: string[] = [];
    const runtime = processRuntime((_fn, _id, line) => void lines.push(line));
    await runtime.close(1000);
    expect(await runtime.start(request('echo started; exec sleep 1000'))).toMatchObject({ ok: false });
    expect(lines).toEqual([]);
  });

  it('leaves nothing of a start that was under way', async () => {
    const lines: string[] = [];
    const runtime = processRuntime((_fn, _id, line) => void lines.push(line));
    const starting = runtime.start(request(`echo $$; exec ${SERVER}`, AbortSignal.timeout(10_000)));
    await runtime.close(5000);
    const started = await starting;
    expect(started.ok).toBe(false);
    expect(lines.map(Number).filter(lives)).toEqual([]);
  });

  it('has ended every process with its children, those too that ignore SIGTERM', async () => {
    const pids: number[] = [];
    const runtime = processRuntime((_fn, _id, line) => void pids.push(Number(line)));
    const stubborn = `trap '' TERM; sleep 1000 & echo $!; exec ${SERVER.replace("-e '", '-e \'process.on("SIGTERM", () => {}); ')}`;
    const backend = backendOf(await runtime.start(request(stubborn, undefined, 1)));
    await until('both have told their ids', () => pids.length === 2);
    expect(pids.every(lives)).toBe(true);
    await runtime.close(10_000);
    await until('none is left', () => !pids.some(lives));
    backend.socket.destroy();
  });
});

describe('a machine without descriptors', () => {
  it('fails the start and not the program', async () => {
    // The process fills its own table of descriptors, but for those that the search of a free port takes.
    const script = `
      import { openSync, closeSync } from 'node:fs';
      import { processRuntime } from '${import.meta.dirname}/../../src/runtime/processes.ts';
      import { served } from '${import.meta.dirname}/../support/proxy.ts';
      const runtime = processRuntime(() => {});
      const open = [];
      try { for (;;) open.push(openSync('/dev/null')); } catch {}
      for (const fd of open.splice(0, 2)) closeSync(fd);
      const fn = served('echo', {}, { devCommand: 'exec sleep 1000' });
      const started = await runtime.start({ fn, connectionId: 'id', signal: AbortSignal.timeout(2000) });
      for (const fd of open) closeSync(fd);
      console.log(JSON.stringify(started));
      await runtime.close(1000);`;
    const command = `ulimit -n 128; exec "$0" --input-type=module -e "$1"`;
    const { stdout } = await promisify(execFile)('/bin/sh', ['-c', command, process.execPath, script], { timeout: 20_000 });
    expect(JSON.parse(stdout)).toMatchObject({ ok: false, reason: 'container_start_failed', detail: expect.stringContaining('EMFILE') });
  });
});
