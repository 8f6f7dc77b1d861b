// Kubernetes objects from YAML files, folders and standard input, each with the place it came from.
import { readdirSync } from 'node:fs';
import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { isNode, isSeq, LineCounter, type ParseOptions, parseAllDocuments, type SchemaOptions, type Tags } from 'yaml';
import { GROUP, KIND } from '../api/names.ts';
import { UserError } from '../fault.ts';

/** One document of a file. */
export interface Document {
  readonly file: string;
  /** The line on which it begins, from 1. */
  readonly line: number;
  readonly value: unknown;
}

/** As kubectl reads YAML: `on` is true, 010 is 8, `<<` merges; but times, 12:30 and `!!binary` are no types of its own. */
const AS_KUBECTL: ParseOptions & SchemaOptions & { version: '1.1' } = {
  version: '1.1',
  customTags: (tags: Tags) => tags.filter((tag) => typeof tag === 'string' || (tag.format !== 'TIME' && !/timestamp|binary/.test(tag.tag))),
};

/** The documents of these files; of a folder those of `filesIn`; `-` is standard input. */
export async function readDocuments(paths: readonly string[]): Promise<Document[]> {
  const documents: Document[] = [];
  for (const path of paths) {
    for (const file of await filesOf(path)) documents.push(...parse(file, await read(file)));
  }
  return documents;
}

/** The documents that are WebSocketFunctions; others are passed over. */
export async function readFunctionFiles(paths: readonly string[]): Promise<Document[]> {
  return (await readDocuments(paths)).filter(isFunction);
}

/** Is it meant to be a WebSocketFunction? By its kind, or by its group, so that a kind with a typing error is not passed over. */
export function isFunction({ value }: Document): boolean {
  const { kind, apiVersion } = (value ?? {}) as { kind?: unknown; apiVersion?: unknown };
  return kind === KIND || (typeof apiVersion === 'string' && apiVersion.startsWith(`${GROUP}/`));
}

/** Reads one YAML file whole. */
export async function readYaml(file: string): Promise<unknown> {
  return parse(file, await read(file))[0]?.value;
}

async function filesOf(path: string): Promise<string[]> {
  if (path === '-') return [path];
  const found = await stat(path).catch(() => undefined);
  if (!found) throw new UserError(`${path}: no such file or folder`);
  if (!found.isDirectory()) return [path];
  return foldersOf(path).flatMap(filesIn);
}

/** All *.yaml, *.yml and *.json of a folder. */
function filesIn(folder: string): string[] {
  const names = readdirSync(folder).filter((name) => /\.(ya?ml|json)$/.test(name));
  return names.sort().map((name) => join(folder, name));
}

/** The folder itself; one without such files stands for the folders in it, without the hidden ones and node_modules. */
export function foldersOf(folder: string): string[] {
  if (filesIn(folder).length > 0) return [folder];
  const inner = readdirSync(folder, { withFileTypes: true }).filter(
    (entry) => entry.isDirectory() && !/^\.|^node_modules$/.test(entry.name),
  );
  return [folder, ...inner.map(({ name }) => join(folder, name)).sort()];
}

async function read(file: string): Promise<string> {
  if (file === '-') return (await process.stdin.setEncoding('utf8').toArray()).join('');
  return readFile(file, 'utf8').catch((error: Error) => {
    throw new UserError(`${file} cannot be read: ${error.message}`);
  });
}

function parse(file: string, text: string): Document[] {
  const lines = new LineCounter();
  const lineOf = (node: unknown) => lines.linePos((isNode(node) ? node.range?.[0] : undefined) ?? 0).line;
  return parseAllDocuments(text, { ...AS_KUBECTL, lineCounter: lines })
    .filter((document) => document.contents !== null || document.errors.length > 0)
    .flatMap((document) => {
      const [fault] = document.errors;
      if (fault) throw new UserError(`${file}:${fault.linePos?.[0].line ?? 1}: not YAML: ${fault.message.split('\n')[0]}`);
      const line = lineOf(document.contents);
      const value = plain(() => document.toJS(), `${file}:${line}`);
      const items = listItems(value);
      if (!items) return [{ file, line, value }];
      const nodes = document.get('items', true);
      return items.map((item, i) => ({ file, line: isSeq(nodes) ? lineOf(nodes.items[i]) : line, value: item }));
    });
}

/** The value, or a fault of the user: an alias of nothing, or more aliases than a file in good faith has. */
function plain(value: () => unknown, place: string): unknown {
  try {
    return value();
  } catch (error) {
    throw new UserError(`${place}: not YAML: ${error instanceof Error ? error.message : String(error)}`);
  }
}

/** The objects of a list, as `kubectl get -o yaml` writes several. */
function listItems(value: unknown): unknown[] | undefined {
  const { kind, items } = (value ?? {}) as { kind?: unknown; items?: unknown };
  return typeof kind === 'string' && kind.endsWith('List') && Array.isArray(items) ? items : undefined;
}
