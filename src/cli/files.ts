// Kubernetes objects from YAML files, folders and standard input, each with the place it came from.
import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { LineCounter, parseAllDocuments } from 'yaml';
import { KIND } from '../api/names.ts';
import { UserError } from '../fault.ts';

/** One document of a file. */
export interface Document {
  readonly file: string;
  /** The line on which it begins, from 1. */
  readonly line: number;
  readonly value: unknown;
}

/** The documents of these files; of a folder all *.yaml, *.yml and *.json in it; `-` is standard input. */
export async function readDocuments(paths: readonly string[]): Promise<Document[]> {
  const documents: Document[] = [];
  for (const path of paths) {
    for (const file of await filesOf(path)) documents.push(...parse(file, await read(file)));
  }
  return documents;
}

/** The documents that are WebSocketFunctions; others are passed over. */
export async function readFunctionFiles(paths: readonly string[]): Promise<Document[]> {
  return (await readDocuments(paths)).filter(({ value }) => (value as { kind?: unknown } | null)?.kind === KIND);
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
  const names = (await readdir(path)).filter((name) => /\.(ya?ml|json)$/.test(name)).sort();
  return names.map((name) => join(path, name));
}

async function read(file: string): Promise<string> {
  if (file === '-') return (await process.stdin.setEncoding('utf8').toArray()).join('');
  return readFile(file, 'utf8').catch((error: Error) => {
    throw new UserError(`${file} cannot be read: ${error.message}`);
  });
}

function parse(file: string, text: string): Document[] {
  const lines = new LineCounter();
  return parseAllDocuments(text, { lineCounter: lines })
    .filter((document) => document.contents !== null || document.errors.length > 0)
    .map((document) => {
      const [fault] = document.errors;
      if (fault) throw new UserError(`${file}:${fault.linePos?.[0].line ?? 1}: not YAML: ${fault.message.split('\n')[0]}`);
      return { file, line: lines.linePos(document.contents?.range?.[0] ?? 0).line, value: document.toJS() };
    });
}
