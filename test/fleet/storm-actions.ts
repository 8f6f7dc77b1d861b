// What the storm does to a fleet, one thing after another by random numbers: edits and deletions of functions, the ends of proxies and
// controllers, and faults of the API server.
import { setTimeout as sleep } from 'node:timers/promises';
import type { WebSocketFunction } from '../../src/api/types.ts';
import type { ApiFault, FaultyApi } from '../support/api-faults.ts';
import { type RunningController, startController } from '../support/controller.ts';
import { killNow } from '../support/fleet.ts';
import type { FunctionsApi } from '../support/functions-api.ts';
import { fakeFunction } from '../support/kwok.ts';
import type { StormProxies } from './storm-proxies.ts';

/** A function of the storm. */
export interface StormFunction {
  readonly name: string;
  /** What is asked of it now, from before that is sent. */
  asked: { readonly maxConnections: number; readonly warmPods: number };
  /** The newest one of its name. */
  uid: string;
  /** As it was made or edited last. */
  version: string;
  /** maxConnections of all versions that there were. */
  readonly ceilings: Map<string, number>;
  /** When each was deleted, by uid (ms of performance.now()). */
  readonly deletedAt: Map<string, number>;
}

/** By which a version of a function is known: its metadata, or what a proxy logs of it. */
export function versionOf(uid: unknown, generation: unknown): string {
  return `${uid} ${generation}`;
}

/** What there is to play with. */
export interface Scene {
  readonly api: FaultyApi;
  readonly functions: FunctionsApi;
  readonly proxies: StormProxies;
  readonly controllers: RunningController[];
  readonly random: () => number;
}

/** Longest fault: shorter than what makes a Lease old, so that no fault is an outage (ms); test/fleet/outage has those. */
const FAULT_MS = 8000;

const NOTHING = { maxConnections: 0, warmPods: 0 };

/** The weather. */
export class Storm {
  readonly all: readonly StormFunction[];
  /** What was done, for the log of a failure. */
  readonly done: string[] = [];
  readonly #scene: Scene;
  /** When it began (ms of performance.now()): its log counts from there. */
  readonly begunAt = performance.now();
  readonly #background = new Set<Promise<unknown>>();

  constructor(names: readonly string[], scene: Scene) {
    this.all = names.map((name) => ({ name, asked: NOTHING, uid: '', version: '', ceilings: new Map(), deletedAt: new Map() }));
    this.#scene = scene;
  }

  async createAll(): Promise<void> {
    for (const fn of this.all) await this.#create(fn);
  }

  /** Goes on for this long, and resolves when all is mended again: functions are there, no fault, as many processes as before. */
  async rage(ms: number): Promise<void> {
    const end = performance.now() + ms;
    while (performance.now() < end) {
      await sleep(100 + this.#scene.random() * 700); // the pace: faster than all converges
      await this.#act();
    }
    await Promise.all(this.#background);
  }

  async #act(): Promise<void> {
    const { random, api, proxies } = this.#scene;
    const fn = this.all[Math.floor(random() * this.all.length)] as StormFunction;
    const dice = random();
    if (dice < 0.45) return this.#edit(fn);
    if (dice < 0.55) return this.#replace(fn);
    if (dice < 0.62) return this.#aside('kill a proxy', () => this.#oneProxy((one) => proxies.kill(one)));
    if (dice < 0.68) return this.#aside('roll a proxy', () => this.#oneProxy((one) => proxies.roll(one)));
    if (dice < 0.74) return this.#aside('kill a controller', () => this.#killController());
    if (dice < 0.8) return this.#note('watches cut', () => api.cutWatches());
    if (dice < 0.85) return this.#note('watches expired', () => api.expireWatches());
    if (dice < 0.9) return this.#note('creates lost', () => api.loseCreates(1 + Math.floor(random() * 5)));
    const fault = (['stopped', 'stalled', 'busy', 'broken', 'choppy'] as const)[Math.floor(random() * 5)] ?? 'busy';
    return this.#fault(fault, random() * FAULT_MS);
  }

  async #fault(fault: ApiFault, ms: number): Promise<void> {
    this.#note(`${fault} for ${Math.round(ms)} ms`, () => this.#scene.api.set(fault));
    await sleep(ms); // how long it lasts
    this.#note('mended', () => this.#scene.api.set('pass'));
  }

  async #edit(fn: StormFunction): Promise<void> {
    const { random, functions } = this.#scene;
    const spec = this.#ask(fn);
    const template = random() < 0.3 ? { template: templateOf(fn.name, random) } : {};
    const limits = { idleTimeoutSeconds: 600 + Math.floor(random() * 100) }; // longer than anything stays quiet
    this.#note(`edit ${fn.name} ${JSON.stringify(spec)}${'template' in template ? ' and template' : ''}`);
    this.#is(fn, await functions.edit(fn.name, { ...spec, ...template, ...limits }));
  }

  async #replace(fn: StormFunction): Promise<void> {
    this.#note(`delete ${fn.name}`);
    fn.deletedAt.set(fn.uid, performance.now());
    await this.#scene.functions.remove(fn.name);
    await sleep(this.#scene.random() * 1500); // back before the proxies know that it went, or long after
    await this.#create(fn);
  }

  async #create(fn: StormFunction): Promise<void> {
    const { functions, random } = this.#scene;
    const spec = this.#ask(fn);
    this.#note(`create ${fn.name} ${JSON.stringify(spec)}`);
    this.#is(fn, await functions.create(fakeFunction(fn.name, spec, variant(random))));
  }

  /** Another maxConnections and warmPods. */
  #ask(fn: StormFunction): StormFunction['asked'] {
    const { random } = this.#scene;
    const maxConnections = [0, 1, 4, 8, 12, 12][Math.floor(random() * 6)] ?? 8;
    const warmPods = maxConnections === 0 ? 0 : Math.min(maxConnections, Math.floor(random() * 5));
    fn.asked = { maxConnections, warmPods };
    return fn.asked;
  }

  #is(fn: StormFunction, { metadata: { uid = '', generation } }: WebSocketFunction): void {
    fn.uid = uid;
    fn.version = versionOf(uid, generation);
    fn.ceilings.set(fn.version, fn.asked.maxConnections);
  }

  async #oneProxy(act: (proxy: StormProxies['all'][number]) => Promise<unknown>): Promise<void> {
    const staying = this.#scene.proxies.serving.filter(({ doomed }) => !doomed);
    const one = staying[Math.floor(this.#scene.random() * staying.length)];
    if (one && staying.length > 1) await act(one);
  }

  async #killController(): Promise<void> {
    const { controllers, api } = this.#scene;
    const one = controllers.shift(); // the oldest: likely the leader
    if (!one) return;
    await killNow(one);
    let next: RunningController | undefined;
    while (!next) next = await startController(api.kubeconfig).catch(() => undefined);
    controllers.push(next);
  }

  #aside(what: string, act: () => Promise<unknown>): void {
    this.#note(what);
    const acting: Promise<unknown> = act().finally(() => this.#background.delete(acting));
    this.#background.add(acting);
  }

  #note(what: string, act?: () => void): void {
    this.done.push(`${((performance.now() - this.begunAt) / 1000).toFixed(1)} s: ${what}`);
    act?.();
  }
}

/** A container that differs by what a pod is made of, and by nothing else. */
function variant(random: () => number): object {
  return { env: [{ name: 'VARIANT', value: String(Math.floor(random() * 1000)) }] };
}

function templateOf(name: string, random: () => number): object {
  return (fakeFunction(name, {}, variant(random)) as { spec: { template: object } }).spec.template;
}
