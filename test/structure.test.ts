// The house holds: imports go one way, the core is pure, packages have one door each, and no file is two things.
import { globSync, readFileSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { describe, expect, it } from 'vitest';

/** Which folder or root file may import which, besides its own files. */
const MAY_IMPORT: Readonly<Record<string, readonly string[]>> = {
  api: [],
  core: ['api'],
  kube: ['core', 'api', 'fault', 'log'],
  runtime: ['kube', 'core', 'api', 'log'],
  controller: ['kube', 'core', 'api', 'log'],
  proxy: ['runtime', 'core', 'api'],
  metrics: ['controller', 'proxy', 'runtime', 'core', 'api'],
  cli: ['metrics', 'controller', 'proxy', 'runtime', 'kube', 'core', 'api', 'config', 'fault', 'log', 'admin', 'version'],
  admin: ['proxy'],
  version: [],
  main: ['cli'],
  config: ['core', 'api'],
  fault: [],
  log: [],
};

/** The only files that import a package at run time; `import type` is free everywhere. */
const DOORS: Readonly<Record<string, readonly string[]>> = {
  'http-proxy': ['src/proxy/dial.ts'],
  jose: ['src/proxy/jwt.ts'],
  ws: ['src/cli/connect.ts'],
  ajv: ['src/api/validate.ts'],
  '@marcbachmann/cel-js': ['src/api/validate.ts'],
  commander: ['src/cli/program.ts', 'src/config.ts'],
  'prom-client': ['src/metrics/series.ts'],
  yaml: ['src/cli/files.ts', 'src/cli/crd.ts'],
};

const files = globSync('src/**/*.ts').sort();
const source = new Map(files.map((file) => [file, readFileSync(file, 'utf8')]));

interface Import {
  readonly file: string;
  readonly target: string;
  readonly typeOnly: boolean;
}

const imports: Import[] = files.flatMap((file) =>
  [...(source.get(file) ?? '').matchAll(/^(import|export)( type)? [^;]*?from '([^']+)'|import\('([^']+)'\)/gm)].map((match) => ({
    file,
    target: match[3] ?? match[4] ?? '',
    typeOnly: match[2] !== undefined,
  })),
);

/** `core` for src/core/x.ts, `main` for src/main.ts. */
function room(file: string): string {
  return file.split('/')[1]?.replace(/\.ts$/, '') ?? '';
}

describe('the structure', () => {
  it('has files and imports to look at', () => {
    expect(files.length).toBeGreaterThan(30);
    expect(imports.length).toBeGreaterThan(100);
  });

  it('imports in one direction only', () => {
    const wrong = imports
      .filter(({ target }) => target.startsWith('.'))
      .map(({ file, target }) => ({ file, to: normalize(join(dirname(file), target)) }))
      .filter(({ file, to }) => room(file) !== room(to) && !MAY_IMPORT[room(file)]?.includes(room(to)));
    expect(wrong).toEqual([]);
  });

  it('lets the data plane know of a runtime only its interface', () => {
    const wrong = imports.filter(
      ({ file, target }) => room(file) === 'proxy' && target.includes('/runtime/') && !target.endsWith('/runtime.ts'),
    );
    expect(wrong).toEqual([]);
  });

  it('gives each package one door', () => {
    const wrong = imports
      .filter(({ target, typeOnly }) => !typeOnly && !target.startsWith('.') && !target.startsWith('node:'))
      .filter(({ file, target }) => !(DOORS[target] ?? []).includes(file) && room(file) !== 'kube');
    expect(wrong).toEqual([]);
  });

  it('keeps core and api pure', () => {
    const wrong = files
      .filter((file) => room(file) === 'core' || room(file) === 'api')
      .filter((file) =>
        /\bawait\b|setTimeout|Date\.now|\bprocess\.|from 'node:/.test((source.get(file) ?? '').replaceAll(/\/\*[\s\S]*?\*\/|\/\/.*/g, '')),
      );
    expect(wrong).toEqual([]);
  });

  it('has no file over 250 lines, in src, in test and in charts', () => {
    const long = [...files, ...globSync('{test,charts}/**/*.ts')].filter((file) => readFileSync(file, 'utf8').split('\n').length > 251);
    expect(long).toEqual([]);
  });

  it('has no folders without a meaning and no barrels', () => {
    expect(files.filter((file) => /\/(utils?|helpers?|common|types|lib)\/|\/index\.ts$/.test(file))).toEqual([]);
  });

  it('ends the process in main alone', () => {
    expect(files.filter((file) => file !== 'src/main.ts' && (source.get(file) ?? '').includes('process.exit('))).toEqual([]);
  });
});
