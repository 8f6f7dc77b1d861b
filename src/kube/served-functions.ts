// The functions that a proxy serves, by watch and by the same rules as the controller's, spec and status alike: it waits for no
// controller, and what a status says is what connections get.
import type { WebSocketFunction } from '../api/types.ts';
import { claimsOf, hostOwners, takenHosts } from '../core/route.ts';
import { isSame, keyOf, type ServedFunction } from '../core/served.ts';
import type { KubeClient } from './client.ts';
import { FunctionReader, type OperatorRules, watchStoredFunctions } from './functions.ts';
import type { Namespaces, Watches } from './watches.ts';

/** Who hears of functions. */
export interface ServedFunctionEvents {
  /** It came, or what matters to connections has changed. */
  set(fn: ServedFunction): void;
  gone(key: string): void;
  /** A fault that mends itself, for the log. */
  log(line: string): void;
}

/** Tells of functions only what connections are judged by: what a status counts is nothing to them. */
export class ServedFunctions {
  readonly #events: ServedFunctionEvents;
  readonly #reader: FunctionReader;
  readonly #watch: Watches<WebSocketFunction>;
  /** As they were read, without a look at each other. */
  readonly #read = new Map<string, ServedFunction>();
  /** As they were told. */
  readonly #told = new Map<string, ServedFunction>();
  #hostsChanged = false;

  constructor(client: KubeClient, namespaces: Namespaces, rules: OperatorRules, events: ServedFunctionEvents) {
    this.#events = events;
    this.#reader = new FunctionReader(rules);
    this.#watch = watchStoredFunctions(client, namespaces, {
      set: (found) => this.#set(found),
      gone: (found) => this.#gone(found),
      log: (line) => events.log(line),
    });
  }

  get resource(): string {
    return this.#watch.resource;
  }

  /** See Watches. */
  get lastEventAt(): number {
    return this.#watch.lastEventAt;
  }

  /** See Watch.start. */
  start(): Promise<void> {
    return this.#watch.start();
  }

  /** Nothing is told after this. */
  stop(): void {
    this.#watch.stop();
  }

  #set(found: WebSocketFunction): void {
    const { fn } = this.#reader.read(found);
    const key = keyOf(fn);
    const before = this.#read.get(key);
    this.#read.set(key, fn);
    if (before && isSame(before, fn)) return;
    if ([before, fn].some((one) => one && claimsOf(one).length > 0)) this.#judgeHosts();
    else this.#tell(fn);
  }

  #gone(found: WebSocketFunction): void {
    const key = this.#reader.forget(found);
    const before = this.#read.get(key);
    this.#read.delete(key);
    this.#told.delete(key);
    if (before && claimsOf(before).length > 0) this.#judgeHosts();
    this.#events.gone(key);
  }

  #tell(fn: ServedFunction): void {
    this.#told.set(keyOf(fn), fn);
    this.#events.set(fn);
  }

  /** One that came or went may have taken a host from others, or left it to them. Once for all that came together. */
  #judgeHosts(): void {
    if (this.#hostsChanged) return;
    this.#hostsChanged = true;
    queueMicrotask(() => {
      this.#hostsChanged = false;
      const owners = hostOwners(this.#read.values());
      for (const fn of this.#read.values()) {
        const judged = fn.problem === '' ? { ...fn, problem: takenHosts(fn, owners) } : fn;
        const told = this.#told.get(keyOf(fn));
        if (!told || !isSame(told, judged)) this.#tell(judged);
      }
    });
  }
}
