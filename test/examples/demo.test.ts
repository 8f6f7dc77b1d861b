import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';

it('the demo shows what it promises, ends by itself and leaves no process', async () => {
  const cwd = fileURLToPath(new URL('../..', import.meta.url));
  const child = spawn(process.execPath, ['examples/demo.ts', '--once'], { cwd, stdio: ['ignore', 'pipe', 'pipe'] });
  const [code, text] = await new Promise<[number | null, string]>((resolve) => {
    let text = '';
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => (text += chunk));
    child.on('close', (code) => resolve([code, text]));
  });
  expect(text).toContain('3 clients, 3 processes');
  expect(text).toMatch(
    /101 +200 .*normal_closure[\s\S]*101 +439 .*function_exited[\s\S]*101 +456 .*client_dropped[\s\S]*404 +435 .*route_not_found/,
  );
  expect(text).toMatch(/gone: \d+, \d+, \d+/);
  expect(text).toContain('All as promised.');
  expect(code).toBe(0);
}, 60_000);
