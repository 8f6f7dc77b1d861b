// The calls to the API server: kubeconfig and credentials by client-node, the requests over one shared pool of connections (as
// shipped, client-node opens a TLS connection for every call). Every call has a deadline, and every failure is a KubeError.
import type { RequestOptions } from 'node:https';
import { setTimeout as sleep } from 'node:timers/promises';
import { KubeConfig } from '@kubernetes/client-node';
import { Agent, type Dispatcher, request } from 'undici';
import { kubeCall } from '../core/kube-call.ts';
import { UserError } from '../fault.ts';

/** How long credentials are used before they are read again: projected tokens change on disk (ms). */
const CREDENTIALS_MS = 60_000;
/** Those that could not be read are read again after this (ms). */
const CREDENTIALS_AGAIN_MS = 5000;
/** A call that was not answered by then has failed; below the 34 s after which the API server itself gives up (ms). */
const CALL_MS = 20_000;

/** A call that did not succeed. */
export class KubeError extends Error {
  /** HTTP status; 0 when there was no answer. */
  readonly status: number;
  /** `reason` of the Status body (Kubernetes API conventions), as in NotFound. */
  readonly reason: string;
  /** From Retry-After, in ms. */
  readonly retryAfterMs: number;
  constructor(status: number, reason: string, message: string, retryAfterMs = 0) {
    super(message);
    this.status = status;
    this.reason = reason;
    this.retryAfterMs = retryAfterMs;
  }
}

/** Is the object gone? */
export function isNotFound(error: unknown): boolean {
  return error instanceof KubeError && error.status === 404;
}

/** Is the name taken, or the object another one than was meant? */
export function isConflict(error: unknown): boolean {
  return error instanceof KubeError && error.status === 409;
}

/** Is the name taken? A quota that many use at once answers 409, too, and means that it should be tried again. */
export function isTaken(error: unknown): boolean {
  return error instanceof KubeError && error.status === 409 && error.reason === 'AlreadyExists';
}

/** What a call needs beyond its path. */
export interface CallOptions {
  readonly query?: Readonly<Record<string, string>>;
  readonly body?: object;
  /** Content type of the body; default JSON. */
  readonly type?: string;
  readonly timeoutMs?: number;
  /** Goes over connections of its own, past the calls that wait for one: for the few calls on which lives depend. */
  readonly urgent?: boolean;
  /** A lost connection is an error at once: for a deletion whose second answer would hide what the first one did. */
  readonly once?: boolean;
}

/** Hears of calls, for the metrics. */
export interface KubeObserver {
  /** @param statusCode 0 when there was no answer */
  kubeCalled(verb: string, resource: string, statusCode: number, seconds: number): void;
  watchRestarted(resource: string, cause: WatchCut): void;
}

/** Why a watch has to be opened again: the server ended it in its time, its version is too old, an error, or no answer. */
export type WatchCut = 'ended' | 'expired' | 'error' | 'unreachable';

interface Credentials {
  readonly headers: Record<string, string>;
  readonly calls: Dispatcher;
  readonly urgent: Dispatcher;
  readonly watches: Dispatcher;
  readonly readAt: number;
  readonly key: string;
}

/** A connection to one API server. */
export class KubeClient {
  readonly server: string;
  /** That of the kubeconfig's context, or of the pod's service account; else `default`. */
  readonly namespace: string;
  readonly observer: KubeObserver | undefined;
  readonly #config: KubeConfig;
  #credentials: Credentials | undefined;

  constructor(config: KubeConfig, observer?: KubeObserver) {
    this.#config = config;
    this.observer = observer;
    this.server = (config.getCurrentCluster()?.server ?? '').replace(/\/$/, '');
    this.namespace = config.getContextObject(config.getCurrentContext())?.namespace || 'default';
  }

  /** Makes a call and gives the answer's object. Throws a KubeError. */
  async call<T>(method: Dispatcher.HttpMethod, path: string, options: CallOptions = {}): Promise<T> {
    try {
      return await this.#once<T>(method, path, options);
    } catch (error) {
      // A connection of the pool may have been cut while it was idle. What may be done twice is tried on another one.
      const repeats = options.once !== true && (method === 'GET' || method === 'DELETE');
      if (!repeats || !(error instanceof KubeError) || error.reason !== 'ConnectionLost') throw error;
      return this.#once<T>(method, path, options);
    }
  }

  async #once<T>(method: Dispatcher.HttpMethod, path: string, options: CallOptions): Promise<T> {
    const { headers, calls, urgent } = await this.#current();
    const answer = await this.#observed(path, this.#url(path, options.query), {
      method,
      dispatcher: options.urgent ? urgent : calls,
      headers: { ...headers, accept: 'application/json', ...(options.body ? { 'content-type': options.type ?? 'application/json' } : {}) },
      body: options.body ? JSON.stringify(options.body) : null,
      signal: AbortSignal.timeout(Math.ceil(options.timeoutMs ?? CALL_MS)),
    });
    const text = await answer.body.text().catch(unreachable);
    if (answer.statusCode >= 400) throw refused(answer.statusCode, text, answer.headers['retry-after']);
    return parsed(text) as T;
  }

  /** Opens a watch and yields its lines until the server ends it. Throws a KubeError. */
  async *lines(path: string, query: Readonly<Record<string, string>>, signal: AbortSignal): AsyncGenerator<string> {
    const { headers, watches } = await this.#current();
    const answer = await this.#observed(path, this.#url(path, query), { method: 'GET', dispatcher: watches, headers, signal });
    if (answer.statusCode >= 400) throw refused(answer.statusCode, await answer.body.text().catch(() => ''), answer.headers['retry-after']);
    let rest = '';
    try {
      for await (const chunk of answer.body.setEncoding('utf8')) {
        const lines = (rest + chunk).split('\n');
        rest = lines.pop() ?? '';
        yield* lines.filter((line) => line !== '');
      }
    } catch (error) {
      unreachable(error as Error);
    }
  }

  /** A request that is counted when its answer begins. Throws a KubeError when there is none. */
  async #observed(
    path: string,
    url: string,
    options: Parameters<typeof request>[1] & { method: string },
  ): Promise<Dispatcher.ResponseData<unknown>> {
    const { verb, resource } = kubeCall(options.method, path, url.includes('watch=true'));
    const begun = performance.now();
    let status = 0;
    try {
      const answer = await request(url, options).catch(unreachable);
      status = answer.statusCode;
      return answer;
    } finally {
      this.observer?.kubeCalled(verb, resource, status, (performance.now() - begun) / 1000);
    }
  }

  /** Closes all connections. */
  async close(): Promise<void> {
    const old = this.#credentials;
    this.#credentials = undefined;
    await Promise.all([old?.calls.destroy(), old?.urgent.destroy(), old?.watches.destroy()]);
  }

  #url(path: string, query: Readonly<Record<string, string>> = {}): string {
    const search = new URLSearchParams(query).toString();
    return `${this.server}${path}${search === '' ? '' : `?${search}`}`;
  }

  /** Runs the plugin of the kubeconfig too, if it has one, which may hang. */
  async #read(): Promise<RequestOptions> {
    const options: RequestOptions = {};
    const late = sleep(CALL_MS, undefined, { ref: false }).then(() => {
      throw new Error(`no answer within ${CALL_MS / 1000} s`);
    });
    await Promise.race([this.#config.applyToHTTPSOptions(options), late]);
    return options;
  }

  /** Headers and pools; read again after a while, the pools made anew only when certificates have changed. */
  async #current(): Promise<Credentials> {
    const old = this.#credentials;
    if (old && performance.now() - old.readAt < CREDENTIALS_MS) return old;
    let options: RequestOptions;
    try {
      options = await this.#read();
    } catch (error) {
      if (!old) throw new KubeError(0, 'Credentials', `the credentials cannot be read: ${(error as Error).message}`);
      // A file that could not be opened, or a plugin that failed: what was good a minute ago may still be, and if not a 401 says so.
      this.#credentials = { ...old, readAt: performance.now() - CREDENTIALS_MS + CREDENTIALS_AGAIN_MS };
      return this.#credentials;
    }
    const { ca, cert, key, pfx, passphrase, servername, rejectUnauthorized } = options;
    const connect = { ca, cert, key, pfx, passphrase, servername, rejectUnauthorized };
    const identity = JSON.stringify(connect);
    const headers = Object.fromEntries(Object.entries(options.headers ?? {}).map(([name, value]) => [name, String(value)]));
    if (options.auth) headers.Authorization = `Basic ${Buffer.from(options.auth).toString('base64')}`;
    // HTTP/1.1: a stream of undici's HTTP/2 that is reset while its call is given up has no listener, and ends the process.
    const pools =
      old?.key === identity
        ? { calls: old.calls, urgent: old.urgent, watches: old.watches }
        : {
            calls: new Agent({ connections: 16, keepAliveTimeout: 30_000, connect, allowH2: false }),
            urgent: new Agent({ connections: 2, keepAliveTimeout: 30_000, connect, allowH2: false }),
            watches: new Agent({ bodyTimeout: 0, connect, allowH2: false }),
          };
    this.#credentials = { ...pools, headers, readAt: performance.now(), key: identity };
    return this.#credentials;
  }
}

/** What a lost connection is called by Node and by undici. */
const LOST = ['ECONNRESET', 'EPIPE', 'UND_ERR_SOCKET'];

function unreachable(error: NodeJS.ErrnoException): never {
  const cause = error.cause instanceof Error ? error.cause : error;
  throw new KubeError(0, LOST.includes(error.code ?? '') ? 'ConnectionLost' : 'Unreachable', cause.message || cause.name);
}

function refused(status: number, text: string, retryAfter: unknown): KubeError {
  const body = parsed(text) as { reason?: string; message?: string };
  return new KubeError(status, body.reason ?? '', body.message ?? `HTTP ${status}`, Number(retryAfter ?? 0) * 1000 || 0);
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return { message: text.slice(0, 256) };
  }
}

/** A client by kubeconfig: this file, KUBECONFIG, ~/.kube/config, or the pod's service account. Throws a UserError. */
export function connectKube(kubeconfig: string | undefined, observer?: KubeObserver): KubeClient {
  const config = new KubeConfig();
  try {
    if (kubeconfig !== undefined) config.loadFromFile(kubeconfig);
    else config.loadFromDefault();
  } catch (error) {
    throw new UserError(`the kubeconfig cannot be read: ${error instanceof Error ? error.message : error}; name one with --kubeconfig`);
  }
  const cluster = config.getCurrentCluster();
  // Where it finds nothing at all, client-node takes a server on this machine without TLS.
  if (!cluster || cluster.server === 'http://localhost:8080') {
    throw new UserError('no cluster: there is no kubeconfig and this is no pod; set KUBECONFIG or --kubeconfig (socketpod dev needs none)');
  }
  return new KubeClient(config, observer);
}
