// A line of the log: one JSON object, with text from outside at a bounded length.
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { expect, it } from 'vitest';

const LOG = join(import.meta.dirname, '..', 'src', 'log.ts');

it('cuts texts at 256 bytes, and last words at 1,024', () => {
  const script = `import { log } from ${JSON.stringify(LOG)}; const x = 'x'.repeat(1024);
    log('info', 'end', { path: x, lastWords: x, count: 7 }); log('info', 'end', { lastWords: x + 'y\\n' });`;
  const lines = execFileSync(process.execPath, ['--input-type=module', '-e', script], { encoding: 'utf8' }).trim().split('\n');
  expect(lines.map((line) => JSON.parse(line))).toMatchObject([
    { level: 'info', message: 'end', path: `${'x'.repeat(256)}...`, lastWords: 'x'.repeat(1024), count: 7 },
    { lastWords: `${'x'.repeat(1024)}...` },
  ]);
});
