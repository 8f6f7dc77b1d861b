// A line of the log: one JSON object, with text from outside at a bounded length.
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { cutTexts, jsonLine } from '../src/log.ts';

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

it('cuts between two characters', () => {
  expect(cutTexts({ path: 'é'.repeat(300) })).toEqual({ path: `${'é'.repeat(128)}...` });
  expect(cutTexts({ path: `x${'é'.repeat(300)}` })).toEqual({ path: `x${'é'.repeat(127)}...` });
  expect(cutTexts({ path: '😀'.repeat(64), n: 7 })).toEqual({ path: '😀'.repeat(64), n: 7 });
});

it('escapes what a terminal would obey or a reader take for the end of the line', () => {
  const text = 'a\n\x1b[2J\x7f\x9b\u2028\u202e\ufeff\u{e0001} é😀';
  const line = jsonLine({ text });
  expect(line).toBe('{"text":"a\\n\\u001b[2J\\u007f\\u009b\\u2028\\u202e\\ufeff\\udb40\\udc01 é😀"}\n');
  expect(JSON.parse(line)).toEqual({ text });
});
