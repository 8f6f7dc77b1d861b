// The three commands of the README, as written, on a node on which nothing was ever installed.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { kubectl } from '../support/node.ts';
import { clusterWide, shell } from './release.ts';

const ROOT = join(import.meta.dirname, '..', '..');

/** The commands that stand in a block of a file, under a comment with this mark. */
function commands(file: string, mark: string): string[] {
  const text = readFileSync(join(ROOT, file), 'utf8');
  const block = new RegExp(`<!-- ${mark}.*-->\\n+\`\`\`sh\\n([\\s\\S]*?)\`\`\``).exec(text)?.[1] ?? '';
  return block.split('\n').filter((line) => line !== '');
}

describe('from an empty cluster', () => {
  it('three commands lead to the first echo', () => {
    expect(clusterWide().filter((name) => name.includes('socketpod'))).toEqual([]);
    const [install = '', apply = '', connect = '', ...more] = commands('README.md', 'three commands');
    expect(more).toEqual([]);
    const begun = performance.now();
    expect(shell(install)).toContain('STATUS: deployed');
    expect(shell(apply)).toContain('created');
    expect(shell(connect)).toBe('hello\n');
    console.log(`from an empty cluster to the first echo: ${((performance.now() - begun) / 1000).toFixed(1)} s`);
  });
});

describe('the way back', () => {
  it('is in the docs, and leaves nothing', () => {
    const lines = commands('docs/uninstall.md', 'everything goes');
    expect(lines.length).toBeGreaterThan(1);
    for (const line of lines) shell(line);
    expect(clusterWide().filter((name) => name.includes('socketpod'))).toEqual([]);
    expect(kubectl(['get', 'pods', '-A', '-o', 'name'])).toBe('');
  });
});
