// A list and watch that comes back: list in pages, watch from there with bookmarks, resume where the server closed, list again
// when the version is too old (410). What was missed while away is made up for, deletions too. stop() means stop.
import { setTimeout as sleep } from 'node:timers/promises';
import { kubeCall } from '../core/kube-call.ts';
import { Reopening } from '../core/reopening.ts';
import { type KubeClient, KubeError, type WatchCut } from './client.ts';

/** The part of any Kubernetes object that a watch needs. */
export interface Watched {
  readonly metadata?: {
    readonly name?: string;
    readonly namespace?: string;
    readonly uid?: string;
    readonly resourceVersion?: string;
    managedFields?: unknown;
  };
}

/** What is watched, and who hears of it. */
export interface WatchOptions<T extends Watched> {
  /** Path of the collection, as in `/api/v1/pods`. */
  readonly path: string;
  readonly query?: Readonly<Record<string, string>>;
  /** A watch that told nothing for this long is opened again (ms). */
  readonly silentMs?: number;
  /** What is kept of an object, where there are many of them and little is asked of each; default: all but its managedFields. */
  kept?(object: T): T;
  /** An object is there or has changed. */
  set(object: T): void;
  /** An object is gone; its last known state. */
  gone(object: T): void;
  /** A fault that the watch recovers from by itself, for the log. */
  fault(error: KubeError): void;
}

const PAGE = '500';
/** The server ends a watch after 240 to 300 s, at another moment for each proxy (seconds). */
const WATCH_SECONDS = 240;
/** Bookmarks come once a minute: after two that are missing the path to the server is dead, and would not end by itself (ms). */
const SILENT_MS = 150_000;

/** A cache of one collection that keeps itself current. */
export class Watch<T extends Watched> {
  /** All objects, by `namespace/name`; those of other watches too where the caller shares the map. */
  readonly objects: Map<string, T>;
  /** When the last event or bookmark came, in ms since 1970; 0 before the first list. */
  lastEventAt = 0;
  readonly #client: KubeClient;
  readonly #options: WatchOptions<T>;
  /** As in `pods`. */
  readonly resource: string;
  readonly #stopped = new AbortController();
  /** Keys of the objects that this watch found. */
  readonly #found = new Set<string>();
  #version = '';
  /** Has the watch that is open told anything? */
  #heardAny = false;

  constructor(client: KubeClient, options: WatchOptions<T>, objects = new Map<string, T>()) {
    this.objects = objects;
    this.#client = client;
    this.#options = options;
    this.resource = kubeCall('GET', options.path, true).resource;
  }

  /**
   * Starts, and resolves after the first list. Rejects with a KubeError when that list fails: the caller tells a missing CRD from a
   * missing right. Afterwards it goes on for ever, until stop().
   */
  async start(): Promise<void> {
    await this.#list();
    void this.#run();
  }

  /** No call of `set` or `gone` comes after this. */
  stop(): void {
    this.#stopped.abort();
  }

  async #run(): Promise<void> {
    const reopening = new Reopening();
    while (!this.#stopped.signal.aborted) {
      let openedAt: number | undefined;
      this.#heardAny = false;
      let cause: WatchCut = 'ended';
      let retryAfterMs = 0;
      try {
        if (this.#version === '') await this.#list();
        openedAt = performance.now();
        await this.#watch();
      } catch (error) {
        if (!(error instanceof KubeError)) throw error;
        if (this.#stopped.signal.aborted) return;
        if (error.status === 410) this.#version = '';
        cause = error.status === 410 ? 'expired' : error.status === 0 ? 'unreachable' : 'error';
        retryAfterMs = error.retryAfterMs;
        // A watch that was refused, or not answered at all, was never open, however long that took.
        if (error.reason !== 'ConnectionLost' && !this.#heardAny) openedAt = undefined;
        this.#options.fault(error);
      }
      this.#restarted(cause);
      const livedMs = openedAt === undefined ? 0 : performance.now() - openedAt;
      const waitMs = reopening.waitMs({ cause, heard: this.#heardAny, livedMs, retryAfterMs }, Math.random());
      if (waitMs > 0) await sleep(waitMs, undefined, { signal: this.#stopped.signal }).catch(() => {}); // aborted: stopped
    }
  }

  async #list(): Promise<void> {
    const found = new Map<string, T>();
    let version = '';
    let next: string | undefined;
    do {
      const query = { ...this.#options.query, limit: PAGE, ...(next ? { continue: next } : {}) };
      const page = await this.#client.call<{ metadata: { resourceVersion: string; continue?: string }; items: T[] }>(
        'GET',
        this.#options.path,
        { query },
      );
      for (const item of page.items) found.set(keyOf(item), this.#kept(item));
      version = page.metadata.resourceVersion;
      next = page.metadata.continue;
    } while (next);
    if (this.#stopped.signal.aborted) return;
    for (const key of [...this.#found]) {
      const object = this.objects.get(key);
      if (object && found.get(key)?.metadata?.uid !== object.metadata?.uid) this.#gone(object);
    }
    for (const object of found.values()) this.#set(object);
    this.#version = version;
    this.lastEventAt = Date.now();
  }

  async #watch(): Promise<void> {
    const query = {
      ...this.#options.query,
      watch: 'true',
      allowWatchBookmarks: 'true',
      resourceVersion: this.#version,
      timeoutSeconds: String(Math.round(WATCH_SECONDS * (1 + Math.random() / 4))),
    };
    const { path, silentMs = SILENT_MS } = this.#options;
    const silent = new AbortController();
    const timer = setTimeout(() => silent.abort(), silentMs);
    try {
      for await (const line of this.#client.lines(path, query, AbortSignal.any([this.#stopped.signal, silent.signal]))) {
        if (this.#stopped.signal.aborted) return;
        timer.refresh();
        this.#heard(line);
      }
    } catch (error) {
      if (!silent.signal.aborted) throw error;
      throw new KubeError(0, 'Silent', `nothing was heard for ${silentMs / 1000} s`);
    } finally {
      clearTimeout(timer);
    }
  }

  #heard(line: string): void {
    this.lastEventAt = Date.now();
    const { type, object } = parse<T>(line);
    if (type === 'ERROR') {
      const {
        code = 500,
        reason = '',
        message = 'the watch ended with an error',
      } = object as { code?: number; reason?: string; message?: string };
      throw new KubeError(code, reason, message);
    }
    this.#heardAny = true;
    if (type === 'ADDED' || type === 'MODIFIED') this.#set(this.#kept(object));
    if (type === 'DELETED') this.#gone(this.#kept(object));
    this.#version = object.metadata?.resourceVersion ?? this.#version;
  }

  #restarted(cause: WatchCut): void {
    if (!this.#stopped.signal.aborted) this.#client.observer?.watchRestarted(this.resource, cause);
  }

  /** The record of who wrote which field is a large part of an object, and nobody here reads it. */
  #kept(object: T): T {
    if (object.metadata) delete object.metadata.managedFields;
    return this.#options.kept?.(object) ?? object;
  }

  #set(object: T): void {
    this.objects.set(keyOf(object), object);
    this.#found.add(keyOf(object));
    this.#options.set(object);
  }

  #gone(object: T): void {
    this.objects.delete(keyOf(object));
    this.#found.delete(keyOf(object));
    this.#options.gone(object);
  }
}

function keyOf({ metadata }: Watched): string {
  return `${metadata?.namespace ?? ''}/${metadata?.name ?? ''}`;
}

function parse<T>(line: string): { type: string; object: T } {
  try {
    return JSON.parse(line);
  } catch {
    throw new KubeError(0, 'Garbage', 'a line of the watch is not JSON');
  }
}
