// The functions of `dev`: read from files, judged, and given the identity that the API server would give them.
import { type FSWatcher, statSync, watch } from 'node:fs';
import { dirname, resolve } from 'node:path';
import type { Ceilings } from '../api/ceilings.ts';
import { overCeilings } from '../api/ceilings.ts';
import { ANNOTATION_DEV_COMMAND } from '../api/names.ts';
import type { WebSocketFunction } from '../api/types.ts';
import { complete, validate } from '../api/validate.ts';
import { keyOf, type ServedFunction } from '../core/served.ts';
import { foldersOf, readFunctionFiles } from './files.ts';

/** A file is read this long after its last change: editors write in several steps (ms). */
const SETTLE_MS = 50;

/** What one reading gave: the functions that can be served, and a line for each that cannot. */
export interface Reading {
  readonly functions: ServedFunction[];
  readonly problems: string[];
}

/** A function with the text it was made of. */
interface Known {
  readonly text: string;
  readonly fn: ServedFunction;
}

/** Reads the files again and again; a function keeps its uid while it is there, and its generation while it is the same. */
export class FunctionFiles {
  readonly paths: readonly string[];
  readonly #ceilings: Ceilings;
  #known = new Map<string, Known>();
  #uids = 0;

  constructor(paths: readonly string[], ceilings: Ceilings) {
    this.paths = paths;
    this.#ceilings = ceilings;
  }

  /** All functions as they stand. One whose file became bad keeps its last good version. */
  async read(): Promise<Reading> {
    const problems: string[] = [];
    const known = new Map<string, Known>();
    let documents: Awaited<ReturnType<typeof readFunctionFiles>> = [];
    try {
      documents = await readFunctionFiles(this.paths);
    } catch (error) {
      problems.push(error instanceof Error ? error.message : String(error));
      return { functions: [...this.#known.values()].map(({ fn }) => fn), problems };
    }
    for (const { file, line, value } of documents) {
      const faults = validate(value);
      const found = value as WebSocketFunction;
      const key = keyOf({ namespace: found.metadata?.namespace ?? 'default', name: found.metadata?.name ?? '' });
      const before = this.#known.get(key);
      if (known.has(key)) problems.push(`${file}:${line}: ${key} is there twice; the first one holds`);
      else if (faults.length === 0) known.set(key, this.#served(found, file, before));
      else if (before) known.set(key, before);
      for (const { path, message } of faults) problems.push(`${file}:${line}: ${path}: ${message}`);
    }
    this.#known = known;
    return { functions: [...known.values()].map(({ fn }) => fn), problems };
  }

  /** Calls `changed` after each change of a file. */
  watch(changed: () => Promise<void>): { close(): void } {
    let timer: NodeJS.Timeout | undefined;
    const later = () => {
      clearTimeout(timer);
      timer = setTimeout(() => void changed(), SETTLE_MS);
    };
    const places = this.paths.flatMap((path) => (statSync(path).isDirectory() ? foldersOf(path) : [path]));
    const watchers: FSWatcher[] = places.map((path) => watch(path, later));
    return {
      close: () => {
        clearTimeout(timer);
        for (const watcher of watchers) watcher.close();
      },
    };
  }

  #served(found: WebSocketFunction, file: string, before: Known | undefined): Known {
    const text = JSON.stringify(found);
    if (before?.text === text) return before;
    const spec = complete(found).spec;
    const namespace = found.metadata.namespace ?? 'default';
    const over = overCeilings(spec, this.#ceilings, namespace);
    const devCommand = found.metadata.annotations?.[ANNOTATION_DEV_COMMAND];
    const fn: ServedFunction = {
      namespace,
      name: found.metadata.name,
      uid: before?.fn.uid ?? `dev-${++this.#uids}`,
      generation: (before?.fn.generation ?? 0) + 1,
      createdAt: before?.fn.createdAt ?? this.#uids,
      spec,
      heldHosts: [],
      problem: over.map(({ path, message }) => `${path}: ${message}`).join('; '),
      ...(devCommand === undefined ? {} : { devCommand }),
      folder: dirname(resolve(file)),
    };
    return { text, fn };
  }
}
