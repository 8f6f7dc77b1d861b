// The control plane: watches functions, pods, the Leases of the proxies and its own policies; while it leads, it makes statuses and
// policies what they should be and deletes orphans. A stand-by watches too, so that it knows all when its turn comes.
import { setTimeout as sleep } from 'node:timers/promises';
import type { V1Pod } from '@kubernetes/client-node';
import { LABEL_FUNCTION } from '../api/names.ts';
import type { WebSocketFunction } from '../api/types.ts';
import { conditionOf } from '../core/conditions.ts';
import type { PolicyFacts } from '../core/network-policy.ts';
import { parseQuantity } from '../core/quantity.ts';
import type { KubeClient } from '../kube/client.ts';
import { Election } from '../kube/election.ts';
import { Events } from '../kube/events.ts';
import { type OperatorRules, watchStoredFunctions } from '../kube/functions.ts';
import { Proxies } from '../kube/proxies.ts';
import { WorkQueue } from '../kube/queue.ts';
import { type Namespaces, Watches } from '../kube/watches.ts';
import { FunctionSet } from './function-set.ts';
import { Orphans } from './orphans.ts';
import { PodIndex } from './pod-index.ts';
import { Policies } from './policies.ts';
import { Reconciler } from './reconcile.ts';
import { Trials } from './trials.ts';

/** Keys that are worked on at a time. */
const CONCURRENCY = 8;
/** How often orphans are looked for, in memory (ms). */
const ORPHANS_MS = 1000;

/** What is reconciled: a function's status, a namespace's policy, a trial pod. */
export type Work = 'function' | 'namespace' | 'trial';

/** Hears of the controller's work, for the metrics. */
export interface ControllerObserver {
  reconciled(work: Work, result: 'done' | 'failed', seconds: number): void;
  orphanDeleted(): void;
}

/** What a controller is made with. */
export interface ControllerOptions {
  readonly client: KubeClient;
  /** Whose functions; empty: all. */
  readonly namespaces: Namespaces;
  /** Where the Leases and the proxies are. */
  readonly ownNamespace: string;
  /** Unique to this process, in the Lease of the election. */
  readonly identity: string;
  readonly rules: OperatorRules;
  readonly podDefaults: boolean;
  readonly publicUrl: string | undefined;
  /** What the NetworkPolicies let in and keep out; undefined: there shall be none. */
  readonly policies: Pick<PolicyFacts, 'proxyLabels' | 'denied'> | undefined;
  readonly observer: ControllerObserver;
  /** Faults that mend themselves. */
  log(line: string): void;
  /** Who leads. */
  tell(line: string): void;
}

/** A function as the metrics have it. */
export interface FunctionFigures {
  /** `namespace/name`. */
  readonly function: string;
  readonly ready: boolean;
  readonly maxConnections: number;
  readonly warmPods: number;
  /** Undefined: the function's container has no limit. */
  readonly memoryLimitBytes: number | undefined;
}

/** One controller. */
export class Controller {
  readonly #functions: FunctionSet;
  readonly #functionWatch: Watches<WebSocketFunction>;
  readonly #pods = new PodIndex((namespace) => this.#queue.add(namespace));
  readonly #podWatch: Watches<V1Pod>;
  readonly #proxies: Proxies;
  readonly #policies: Policies;
  readonly #trials: Trials;
  readonly #reconciler: Reconciler;
  readonly #orphans: Orphans;
  readonly #election: Election;
  readonly #queue: WorkQueue;

  constructor(options: ControllerOptions) {
    const { client, namespaces, ownNamespace: namespace, identity, observer, log } = options;
    const add = (key: string) => this.#queue.add(key);
    const ended = (work: Work | undefined) => (key: string, seconds: number, error: Error | undefined) => {
      observer.reconciled(work ?? (key.includes('/') ? 'function' : 'namespace'), error ? 'failed' : 'done', seconds);
      if (error) log(`${key} could not be reconciled: ${error.message}`);
    };
    this.#queue = new WorkQueue({ concurrency: CONCURRENCY, work: (key) => this.#work(key), ended: ended(undefined) });
    this.#functions = new FunctionSet(options.rules, { function: add, namespace: add, gone: (key) => this.#reconciler.forget(key) });
    this.#functionWatch = watchStoredFunctions(client, namespaces, {
      set: (found) => this.#functions.set(found),
      gone: (found) => this.#functions.gone(found),
      log,
    });
    this.#podWatch = new Watches<V1Pod>(client, {
      base: '/api/v1',
      resource: 'pods',
      namespaces,
      query: { labelSelector: LABEL_FUNCTION },
      set: (pod) => add(this.#pods.seen(pod)),
      gone: (pod) => add(this.#pods.gone(pod)),
      fault: (error) => log(`the watch of pods was cut: ${error.message}`),
    });
    this.#proxies = new Proxies({ client, namespace, log, changed: () => this.#addFunctions() });
    const facts = options.policies && { ...options.policies, ownNamespace: namespace };
    this.#policies = new Policies({ client, functions: this.#functions, pods: this.#pods, namespaces, facts, changed: add, log });
    this.#trials = new Trials({
      client,
      podDefaults: options.podDefaults,
      find: (key) => this.#functions.get(key)?.fn,
      judged: add,
      ended: ended('trial'),
      log,
    });
    this.#reconciler = new Reconciler({
      client,
      functions: this.#functions,
      pods: this.#pods,
      trials: this.#trials,
      events: new Events({ client, component: 'socketpod-controller', instance: identity, log }),
      publicUrl: options.publicUrl,
      hasProxy: () => this.#proxies.sharing().length > 0,
    });
    this.#orphans = new Orphans({ client, pods: this.#podWatch.objects, proxies: this.#proxies, observer, log });
    this.#election = new Election({
      ...{ client, namespace, identity, log: options.tell },
      leases: this.#proxies.leases,
      failed: () => this.#proxies.doubt(),
    });
  }

  /** Resolves when all is known. Rejects with a KubeError. */
  async start(): Promise<void> {
    await this.#functionWatch.start();
    await Promise.all([this.#podWatch.start(), this.#proxies.start(), this.#policies.start()]);
  }

  /** Stands by and leads until the signal; resolves when it leads no more and nothing is watched. */
  async run(stop: AbortSignal): Promise<void> {
    await this.#election.run((over) => this.#lead(over), stop);
    for (const watch of [this.#functionWatch, this.#podWatch, this.#proxies, this.#policies]) watch.stop();
  }

  get leading(): boolean {
    return this.#election.leading;
  }

  /** Keys that wait to be worked on. */
  get depth(): number {
    return this.#queue.depth + this.#trials.depth;
  }

  get watches(): readonly { readonly resource: string; readonly lastEventAt: number }[] {
    return [this.#functionWatch, this.#podWatch, this.#proxies, ...this.#policies.watches];
  }

  /** Each function. */
  *figures(): Generator<FunctionFigures> {
    for (const [key, { fn, found }] of this.#functions.all()) {
      const { maxConnections, warmPods, template } = fn.spec;
      yield {
        function: key,
        ready: conditionOf(found.status?.conditions, 'Ready')?.status === 'True',
        maxConnections,
        warmPods,
        memoryLimitBytes: parseQuantity(template.spec?.containers?.[0]?.resources?.limits?.memory),
      };
    }
  }

  async #lead(over: AbortSignal): Promise<void> {
    this.#queue.start();
    this.#trials.start();
    this.#addFunctions();
    for (const namespace of this.#policies.namespaces()) this.#queue.add(namespace);
    while (!over.aborted) {
      this.#orphans.check(over);
      await sleep(ORPHANS_MS, undefined, { signal: over }).catch(() => {}); // aborted: over
    }
    await Promise.all([this.#queue.stop(), this.#trials.stop()]);
  }

  /** @param key of a function, or the name of a namespace, which has no slash */
  async #work(key: string): Promise<number | undefined> {
    if (key.includes('/')) return this.#reconciler.reconcile(key);
    await this.#policies.reconcile(key);
    return undefined;
  }

  #addFunctions(): void {
    for (const [key] of this.#functions.all()) this.#queue.add(key);
  }
}
