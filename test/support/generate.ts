// Writes every generated file (`npm run generate`). A test says when one is stale.
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { crdYaml } from '../../src/cli/crd.ts';
import { codesTable, fieldsTable, limitsTable, metricsTable, optionsTable } from './tables.ts';
import { terminalPage } from './terminal-page.ts';

const ROOT = join(import.meta.dirname, '..', '..');

/** A generated file: its path from the root, and what has to be in it. */
export interface Generated {
  readonly path: string;
  readonly content: () => string;
}

export const GENERATED: readonly Generated[] = [
  { path: 'crds/websocketfunctions.socketpod.dev.yaml', content: crdYaml },
  { path: 'examples/terminal/index.html', content: terminalPage },
  { path: 'README.md', content: () => withTables(readFileSync(join(ROOT, 'README.md'), 'utf8')) },
];

const TABLES: Readonly<Record<string, () => string>> = {
  codes: codesTable,
  fields: fieldsTable,
  limits: limitsTable,
  options: optionsTable,
  metrics: metricsTable,
};

/** The text with every `<!-- generated:NAME -->` block filled anew. */
export function withTables(text: string): string {
  return text.replaceAll(
    /(<!-- generated:(\w+) -->\n)[\s\S]*?(<!-- \/generated -->)/g,
    (_all, open: string, name: string, close: string) => {
      const table = TABLES[name];
      if (!table) throw new Error(`no table ${name}; known are ${Object.keys(TABLES).join(', ')}`);
      return `${open}${table()}${close}`;
    },
  );
}

/** The generated files that are not as they should be. */
export function staleFiles(): string[] {
  return GENERATED.filter(({ path, content }) => readFileSync(join(ROOT, path), 'utf8') !== content()).map(({ path }) => path);
}

if (process.argv[1] === import.meta.filename) {
  for (const { path, content } of GENERATED) writeFileSync(join(ROOT, path), content());
}
