// `socketpod validate` on files as people write them.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { readDocuments } from '../../src/cli/files.ts';
import { validate } from '../../src/cli/validate.ts';

const HEAD = 'apiVersion: socketpod.dev/v1alpha1\nkind: WebSocketFunction\n';
const GOOD = `${HEAD}metadata: {name: echo}\nspec: {template: {spec: {containers: [{name: f, image: a}]}}}\n`;
const BAD = GOOD.replace('spec: {', 'spec: {idleTimeoutSeconds: 5, ');
let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'socketpod-validate-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

function write(text: string, name = 'a.yaml'): string {
  const file = join(folder, name);
  writeFileSync(file, text);
  return file;
}

async function run(...files: string[]): Promise<{ code: number; text: string }> {
  let text = '';
  const code = await validate(files, { write: (part) => (text += part) });
  return { code, text: text.replaceAll(folder, '') };
}

/** What a YAML scalar is read as. */
async function readScalar(scalar: string): Promise<unknown> {
  const [document] = await readDocuments([write(`x: ${scalar}\n`)]);
  return (document?.value as { x: unknown } | undefined)?.x;
}

describe('validate', () => {
  it('is content with a good file', async () => {
    expect(await run(write(GOOD))).toEqual({ code: 0, text: '1 good, 0 bad\n' });
  });

  it('names file, line, field, value and remedy, and counts what it did not judge', async () => {
    expect(await run(write(`${GOOD}---\nkind: Service\n---\n${BAD}`))).toEqual({
      code: 1,
      text: '/a.yaml:8: spec.idleTimeoutSeconds: 5 is out of range; use 10 to 7200\n1 good, 1 bad; 1 of other kinds not judged\n',
    });
  });

  it('reads the files of a folder that kubectl would read', async () => {
    write(GOOD, 'a.yml');
    write(JSON.stringify({ kind: 'Service' }), 'b.json');
    write('not yaml: [', 'c.txt');
    expect(await run(folder)).toEqual({ code: 0, text: '1 good, 0 bad; 1 of other kinds not judged\n' });
  });

  it('does not pass over a kind with a typing error', async () => {
    const { code, text } = await run(write(GOOD.replace('WebSocketFunction', 'WebsocketFunction')));
    expect({ code, text }).toEqual({ code: 1, text: '/a.yaml:1: kind: "WebsocketFunction" is not WebSocketFunction\n0 good, 1 bad\n' });
  });

  it('judges each object of a list', async () => {
    const items = [GOOD, BAD].map((text) => `- ${text.trim().replaceAll('\n', '\n  ')}\n`).join('');
    const { code, text } = await run(write(`apiVersion: v1\nkind: List\nitems:\n${items}`));
    expect(code).toBe(1);
    expect(text).toMatch(/^\/a\.yaml:8: spec\.idleTimeoutSeconds: .*\n1 good, 1 bad\n$/);
  });

  it('says that there is nothing to judge', async () => {
    expect(await run(write('kind: Service\n'))).toMatchObject({ code: 1, text: expect.stringContaining('no WebSocketFunction in') });
  });

  it('says so when a function has no name, an empty route or no metadata', async () => {
    expect((await run(write(GOOD.replace('{name: echo}', '{}')))).text).toContain('metadata.name: missing');
    expect((await run(write(GOOD.replace('metadata: {name: echo}\n', '')))).text).toContain('metadata: missing');
    expect((await run(write(GOOD.replace('spec: {', 'spec: {route: , ')))).code).toBe(0);
  });

  it.each([
    ['a tab', 'a:\n\t- b\n', /:2: not YAML/],
    ['a key twice', 'a: 1\na: 2\n', /not YAML: Map keys must be unique/],
    ['an alias of nothing', 'a: *b\n', /:1: not YAML: .*alias/],
  ])('tells where %s is', async (_name, text, words) => {
    await expect(run(write(text))).rejects.toThrow(words);
  });
});

describe('YAML', () => {
  it.each([
    ['on', true],
    ['y', true],
    ['"on"', 'on'],
    ['010', 8],
    ['0x1F', 31],
    ['0b11', 3],
    ['1_000', 1000],
    ['12:30:45', '12:30:45'],
    ['2024-01-01', '2024-01-01'],
    ['', null],
    ['{<<: {a: 1}, b: 2}', { a: 1, b: 2 }],
  ])('reads %s as kubectl does', async (scalar, value) => {
    expect(await readScalar(scalar)).toEqual(value);
  });
});
