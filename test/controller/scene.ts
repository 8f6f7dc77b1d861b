// A namespace of a real API server with proxies that live or were killed, their pods, and controllers in what they do about orphans; each
// can have a way to the API server that can be made faulty.
import type { V1Pod } from '@kubernetes/client-node';
import { Orphans } from '../../src/controller/orphans.ts';
import { ELECTION_TIMES, type ElectionTimes } from '../../src/core/election.ts';
import { LIVENESS_TIMES, type LivenessTimes } from '../../src/core/liveness.ts';
import { podFor } from '../../src/core/pod.ts';
import { connectKube, type KubeClient } from '../../src/kube/client.ts';
import { Election } from '../../src/kube/election.ts';
import { Heartbeat } from '../../src/kube/heartbeat.ts';
import { createPod } from '../../src/kube/pods.ts';
import { Proxies } from '../../src/kube/proxies.ts';
import { Watches } from '../../src/kube/watches.ts';
import type { TestApi } from '../support/cluster.ts';
import { type FaultProxy, faultyApi } from '../support/faults.ts';
import { served } from '../support/proxy.ts';

/** A way to the API server: a client, and what is between. */
export interface Way {
  readonly client: KubeClient;
  readonly between: FaultProxy;
}

/** Times of everything in a scene, in ms. */
export interface Times {
  readonly liveness: LivenessTimes;
  readonly election: ElectionTimes;
  readonly renewMs: number;
}

export const REAL_TIMES: Times = { liveness: LIVENESS_TIMES, election: ELECTION_TIMES, renewMs: 10_000 };
export const QUICK_TIMES: Times = {
  liveness: { deadMs: 3000, silentMs: 1800 },
  election: { leaseMs: 1500, deadlineMs: 1200, retryMs: 400 },
  renewMs: 800,
};

/** A controller, as far as orphans go. */
export interface Controller {
  readonly election: Election;
  readonly proxies: Proxies;
  /** Functions of the orphans that it deleted. */
  readonly deleted: string[];
  readonly logged: string[];
  stop(): Promise<void>;
}

const FUNCTION = { template: { spec: { containers: [{ name: 'function', image: 'localhost/fn:1' }] } } };

/** All of it. */
export class Scene {
  readonly namespace: string;
  readonly times: Times;
  readonly #api: TestApi;
  readonly #direct: KubeClient;
  readonly #endings: (() => unknown)[] = [];
  #ways = 0;
  #slots = 0;

  constructor(api: TestApi, namespace: string, times: Times) {
    this.#api = api;
    this.namespace = namespace;
    this.times = times;
    this.#direct = connectKube(api.kubeconfig);
  }

  async start(): Promise<this> {
    await this.#direct.call('POST', '/api/v1/namespaces', { body: { metadata: { name: this.namespace } } });
    return this;
  }

  async stop(): Promise<void> {
    for (const end of this.#endings.reverse()) await end();
    await this.#direct.close();
  }

  async way(): Promise<Way> {
    const between = await faultyApi(this.#api.kubeconfig, `${this.namespace}-${++this.#ways}`);
    const client = connectKube(between.kubeconfig);
    this.#endings.push(async () => {
      await client.close();
      await between.stop();
    });
    return { client, between };
  }

  /** A proxy's heartbeat. Cut its way, and it is one that was killed. */
  async proxy(proxyId: string, { client }: Pick<Way, 'client'> = { client: this.#direct }): Promise<Heartbeat> {
    const who = { namespace: this.namespace, proxyId, podName: 'p', podUid: undefined };
    const heartbeat = new Heartbeat({ ...who, client, renewMs: this.times.renewMs, log: () => {} });
    await heartbeat.start();
    this.#endings.push(() => heartbeat.stop());
    return heartbeat;
  }

  async controller(identity: string, { client }: Pick<Way, 'client'> = { client: this.#direct }): Promise<Controller> {
    const { namespace, times } = this;
    const deleted: string[] = [];
    const logged: string[] = [];
    const log = (line: string) => void logged.push(line);
    const proxies = new Proxies({ client, namespace, times: times.liveness, log, changed: () => {} });
    const pods = new Watches<V1Pod>(client, {
      base: '/api/v1',
      resource: 'pods',
      namespaces: [namespace],
      query: { labelSelector: 'socketpod.dev/function' },
      set: () => {},
      gone: () => {},
      fault: () => {},
    });
    await Promise.all([proxies.start(), pods.start()]);
    const orphans = new Orphans({ client, pods: pods.objects, proxies, observer: { orphanDeleted: (fn) => deleted.push(fn) }, log });
    const election = new Election({
      client,
      namespace,
      identity,
      leases: proxies.leases,
      times: times.election,
      log,
      failed: () => proxies.doubt(),
    });
    const over = new AbortController();
    const running = election.run(async (signal) => {
      const timer = setInterval(() => orphans.check(signal), 1000); // as a controller does
      await new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }));
      clearInterval(timer);
    }, over.signal);
    const stop = async () => {
      over.abort();
      await running;
      proxies.stop();
      pods.stop();
    };
    this.#endings.push(stop);
    return { election, proxies, deleted, logged, stop };
  }

  /** A pod as this proxy makes it, or changed. */
  pod(proxyId: string, change: (pod: V1Pod) => void = () => {}): Promise<V1Pod> {
    const fn = served('echo', FUNCTION, { namespace: this.namespace });
    const pod = podFor(fn, { slot: this.#slots++, proxyId, requestId: crypto.randomUUID(), defaults: true });
    change(pod);
    return createPod(this.#direct, pod);
  }

  /** Names of the pods that are there. */
  pods(): Promise<string[]> {
    return this.#names(`/api/v1/namespaces/${this.namespace}/pods`);
  }

  /** Names of the Leases that are there. */
  leases(): Promise<string[]> {
    return this.#names(`/apis/coordination.k8s.io/v1/namespaces/${this.namespace}/leases`);
  }

  async #names(path: string): Promise<string[]> {
    const { items } = await this.#direct.call<{ items: { metadata: { name: string } }[] }>('GET', path);
    return items.map(({ metadata }) => metadata.name).sort();
  }
}
