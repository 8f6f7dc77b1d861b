// The warm pods of one function on this replica. What is to be created and deleted is decided in core/share.ts; here it is done.
import { LABEL_REQUEST_ID } from '../api/names.ts';
import { templateHash } from '../core/pod.ts';
import { reasonOfCreateError } from '../core/pod-status.ts';
import { keyOf, type ServedFunction } from '../core/served.ts';
import {
  afterCreate,
  afterFailure,
  afterReady,
  type Failures,
  NO_FAILURES,
  planWarm,
  STEADY_MS,
  WANTED_MS,
  type WarmFacts,
} from '../core/share.ts';
import { OwnPod } from './own-pod.ts';
import type { OwnPods } from './own-pods.ts';
import type { StartFailure } from './runtime.ts';
import { WarmPod } from './warm-pod.ts';

/** A pod whose deletion takes longer than this is on a node that is lost: its successor does not wait for it (ms). */
const LEAVING_MS = 60_000;

/** What all pools share. */
export interface WarmPoolOptions {
  readonly pods: OwnPods;
  /** How many pods of this function are this replica's now. */
  share(fn: ServedFunction): number;
  /** Starts of a function, `namespace/name`, that wait for a free name: they come first. */
  waitingStarts(fn: string): number;
  /** This pool has pods to create: `create` is to be called when its turn has come. */
  asks(pool: WarmPool): void;
  /** One of this function, `namespace/name`, is there, or ready: a start that waits may have it. */
  tell(fn: string): void;
  /** What became of one that was created. */
  started(fn: string, result: 'ready' | 'failed' | 'abandoned'): void;
  /** One did not become ready, or died soon. */
  failed(fn: ServedFunction, failure: StartFailure): void;
  log(line: string): void;
}

/** Keeps as many as its share says, ready to be handed out. */
export class WarmPool {
  /** Creates under way: each becomes a pod that may be adopted. */
  creating = 0;
  readonly #options: WarmPoolOptions;
  #fn: ServedFunction;
  #template: string;
  /** The oldest first. */
  readonly #pods = new Set<WarmPod>();
  /** Out of the pool since (performance.now()), but they may still look like warm pods to others. */
  readonly #leaving = new Map<OwnPod, number>();
  #failures: Failures = NO_FAILURES;
  /** Until when places are not filled again (performance.now()). */
  #heldBack: number[] = [];
  #timer: NodeJS.Timeout | undefined;
  #due: NodeJS.Immediate | undefined;
  #forgotten = false;

  constructor(fn: ServedFunction, options: WarmPoolOptions) {
    this.#fn = fn;
    this.#template = templateHash(fn);
    this.#options = options;
  }

  get uid(): string {
    return this.#fn.uid;
  }

  /** The function has changed. */
  serve(fn: ServedFunction): void {
    const template = templateHash(fn);
    if (this.#template !== template) this.#failures = NO_FAILURES;
    this.#fn = fn;
    this.#template = template;
    this.settle();
  }

  /** The function is gone: nothing is created any more, and all pods go. */
  forget(): void {
    this.#forgotten = true;
    clearTimeout(this.#timer);
    clearImmediate(this.#due);
    for (const pod of this.#pods) this.#drop(pod);
  }

  /** Something may have changed: looks after all that happens in this tick. */
  later(): void {
    this.#due ??= setImmediate(() => this.settle());
  }

  /** Does what is to be done now, and comes back when time alone may change that. */
  settle(): void {
    clearImmediate(this.#due);
    this.#due = undefined;
    if (this.#forgotten) return;
    const now = performance.now(); // one for both: what is over for the timer has been over for the plan
    const { create, remove } = planWarm(this.#facts(now));
    for (const pod of remove) {
      if (pod.wanted && pod.template === this.#template) this.#heldBack.push(performance.now() + WANTED_MS);
      this.#drop(pod);
    }
    if (create > 0) this.#options.asks(this);
    clearTimeout(this.#timer);
    const times = [this.#failures.blockedUntil, ...this.#heldBack, ...[...this.#leaving.values()].map((since) => since + LEAVING_MS)];
    const next = Math.min(...times.filter((time) => time > now));
    this.#timer = Number.isFinite(next) ? setTimeout(() => this.settle(), next - now + 1).unref() : undefined;
  }

  #facts(now: number): WarmFacts<WarmPod> {
    const { pods, share, waitingStarts } = this.#options;
    this.#heldBack = this.#heldBack.filter((until) => until > now);
    return {
      share: share(this.#fn),
      template: this.#template,
      pods: [...this.#pods],
      creating: this.creating,
      leaving: [...this.#leaving].filter(([own, since]) => !own.deleting || now - since < LEAVING_MS).length,
      free: this.#fn.spec.maxConnections - pods.held(this.#fn).taken.size - waitingStarts(keyOf(this.#fn)),
      heldBack: this.#heldBack.length,
      failing: this.#failures.failing,
      blocked: now < this.#failures.blockedUntil,
    };
  }

  /** Creates one, if one is still to be created. @returns undefined when there is nothing to do; else resolves when that is done */
  create(): Promise<void> | undefined {
    if (this.#forgotten || planWarm(this.#facts(performance.now())).create === 0) return undefined;
    const slot = this.#options.pods.reserve(this.#fn);
    return slot === undefined ? undefined : this.#create(slot);
  }

  async #create(slot: number): Promise<void> {
    const begunAt = performance.now();
    const { pods, tell } = this.#options;
    const [fn, template] = [this.#fn, this.#template];
    this.creating++;
    const own = await pods.create(fn, slot, undefined);
    this.creating--;
    if (own instanceof OwnPod) {
      const pod = new WarmPod({ own, fn, template, begunAt, taken: pods.taken });
      this.#pods.add(pod);
      this.#failures = afterCreate(this.#failures);
      if (this.#forgotten) this.#drop(pod);
      else void this.#lookAfter(pod);
      tell(keyOf(fn));
    } else if (own !== 'taken' && template === this.#template) {
      this.#failure(begunAt, { ok: false, reason: reasonOfCreateError(own), detail: own.message });
    }
    this.settle();
  }

  async #lookAfter(pod: WarmPod): Promise<void> {
    const failure = await pod.live(() => {
      this.#options.started(keyOf(this.#fn), 'ready');
      this.#failures = afterReady(this.#failures);
      this.settle();
      this.#options.tell(keyOf(this.#fn));
    });
    if (failure && this.#pods.has(pod)) this.#bury(pod, failure);
  }

  /** A pod is of no use: another one comes, later and later if they do not last. */
  #bury(pod: WarmPod, failure: StartFailure): void {
    if (!pod.ready) this.#options.started(keyOf(this.#fn), 'failed');
    const steady = pod.readyFor >= STEADY_MS;
    if (steady || [...this.#pods].some(({ readyFor }) => readyFor >= STEADY_MS)) this.#failures = { ...this.#failures, count: 0 };
    const innocent = steady || pod.template !== this.#template;
    if (this.#pods.has(pod)) this.#takeOut(pod);
    pod.own.delete(true);
    if (!innocent) this.#failure(pod.begunAt, failure);
    this.settle();
  }

  #failure(begunAt: number, failure: StartFailure): void {
    const now = performance.now();
    const before = this.#failures;
    this.#failures = afterFailure(before, failure.reason, { begunAt, now, random: Math.random() });
    if (this.#failures === before) return;
    const seconds = Math.round((this.#failures.blockedUntil - now) / 1000);
    const { log, failed } = this.#options;
    log(`a warm pod of ${keyOf(this.#fn)} failed (${failure.reason}), the next try is in ${seconds} s: ${failure.detail}`);
    failed(this.#fn, failure);
  }

  /** The oldest pod for a connection of this function that is ready, or else one that still starts; undefined when there is none. */
  first(fn: ServedFunction, ready: boolean): WarmPod | undefined {
    if (fn.uid !== this.#fn.uid || templateHash(fn) !== this.#template) return undefined;
    for (const pod of this.#pods) if (pod.ready === ready && pod.template === this.#template) return pod;
    return undefined;
  }

  /** Takes a ready pod out for a connection. Nothing is created for it yet. */
  handOut(pod: WarmPod): void {
    this.#takeOut(pod);
  }

  /** It did not answer the connection that it was handed out to, or it did. */
  answered(pod: WarmPod, yes: boolean): void {
    if (yes) this.#failures = NO_FAILURES;
    else this.#bury(pod, { ok: false, reason: pod.own.byOthers ?? 'function_dropped', detail: 'it did not answer' });
  }

  /** It does not look like a warm pod to others any more: its place may be filled. */
  settled({ own }: WarmPod): void {
    if (this.#leaving.delete(own)) this.settle();
  }

  /** Takes a pod that still starts out, for this connection. Nothing is created for it before its label has landed. */
  adopt(pod: WarmPod, connectionId: string): void {
    this.#takeOut(pod);
    void pod.own.patch({ metadata: { labels: { [LABEL_REQUEST_ID]: connectionId } } }).then((done) => done && this.settled(pod));
  }

  #takeOut(pod: WarmPod): void {
    this.#pods.delete(pod);
    pod.takeOut();
    this.#leaving.set(pod.own, performance.now());
    void pod.own.vanished.then(() => this.settled(pod));
  }

  /** Nobody was connected to it, so it has nothing to bring to an end: the shortest grace. */
  #drop(pod: WarmPod): void {
    if (!pod.ready) this.#options.started(keyOf(this.#fn), 'abandoned');
    this.#takeOut(pod);
    pod.own.delete(true);
  }
}
