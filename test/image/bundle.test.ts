// The one file of the image does what the sources do.
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { crdYaml } from '../../src/cli/crd.ts';
import { VERSION } from '../../src/version.ts';

const ROOT = join(import.meta.dirname, '..', '..');
const PACKAGE = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'));
let folder: string;
let file: string;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'socketpod-bundle-'));
  file = join(folder, 'socketpod.mjs'); // where there is no node_modules beside it
  const rolldown = join(ROOT, 'node_modules', 'rolldown', 'bin', 'cli.mjs');
  execFileSync(process.execPath, [rolldown, '-c', 'rolldown.config.ts', '--file', file], { cwd: ROOT, stdio: 'ignore' });
});
afterAll(() => rmSync(folder, { recursive: true }));

/** Runs a command of the bundle, with no cluster in reach. */
function bundle(...args: string[]): { status: number | null; stdout: string; stderr: string } {
  const { PATH } = process.env;
  return spawnSync(process.execPath, [file, ...args], { cwd: folder, encoding: 'utf8', input: '', env: { PATH, HOME: folder } });
}

describe('the bundle', () => {
  it('knows its version', () => {
    expect(bundle('--version').stdout).toBe(`${VERSION}\n`);
  });

  it('prints the definition', () => {
    expect(bundle('crd').stdout).toBe(crdYaml());
  });

  it('judges files, with the rules of the schema', () => {
    const good = bundle('validate', join(ROOT, 'examples', 'node-echo', 'function.yaml'));
    expect(good).toMatchObject({ status: 0 });
    const bad = bundle('validate', join(ROOT, 'package.json'));
    expect(bad).toMatchObject({ status: 1 });
  });

  it('connects', () => {
    const { status, stderr } = bundle('connect', 'ws://127.0.0.1:1/');
    expect(status).toBe(1);
    expect(stderr).toContain('not open: connect ECONNREFUSED');
  });

  it.each([
    ['dev', ['-f', 'nowhere'], 'nowhere'],
    ['proxy', [], 'no cluster: there is no kubeconfig'],
  ])('says in one line what %s misses', (command, args, words) => {
    const { status, stderr } = bundle(command, ...args);
    expect(stderr).toMatch(/^socketpod: .*\n$/);
    expect(stderr).toContain(words);
    expect(status).toBe(1);
  });

  it('comes with the bill of its materials: every dependency and no tool of development', () => {
    const bill = JSON.parse(readFileSync(join(folder, 'socketpod.cdx.json'), 'utf8'));
    expect(bill.bomFormat).toBe('CycloneDX');
    const purls = bill.components.map(({ purl }: { purl: string }) => decodeURIComponent(purl).replace(/\?.*/, ''));
    for (const [name, wanted] of Object.entries<string>(PACKAGE.dependencies)) {
      expect(purls).toContain(`pkg:npm/${wanted.startsWith('npm:') ? wanted.slice(4) : `${name}@${wanted}`}`);
    }
    expect(purls.filter((purl: string) => /\/(vitest|rolldown|typescript)@/.test(purl))).toEqual([]);
  });
});

it('the image says the version of the package', () => {
  expect(readFileSync(join(ROOT, 'Dockerfile'), 'utf8')).toContain(`ARG VERSION=${VERSION}\n`);
});
