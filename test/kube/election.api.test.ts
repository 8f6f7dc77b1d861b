// The election on a real API server: candidates in this process, each with a connection of its own that can be cut. Times are a sixth
// of the real ones where a test waits for them.
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { ELECTION_TIMES, type ElectionTimes } from '../../src/core/election.ts';
import { connectKube, type KubeClient } from '../../src/kube/client.ts';
import { Election } from '../../src/kube/election.ts';
import { deleteLease, getLease } from '../../src/kube/lease.ts';
import { Proxies } from '../../src/kube/proxies.ts';
import { startApi, type TestApi } from '../support/cluster.ts';
import { type FaultProxy, faultyApi } from '../support/faults.ts';
import { until } from '../support/ports.ts';

const QUICK: ElectionTimes = { leaseMs: 2400, deadlineMs: 1800, retryMs: 400 };
let api: TestApi;
let direct: KubeClient;

beforeAll(async () => {
  api = await startApi();
  direct = connectKube(api.kubeconfig);
}, 90_000);
afterAll(async () => {
  await direct?.close();
  await api?.stop();
});

/** A candidate; `spans` are the times at which it began and ceased to lead. */
interface Candidate {
  readonly name: string;
  readonly client: KubeClient;
  readonly between: FaultProxy;
  readonly election: Election;
  readonly spans: { from: number; to: number | undefined }[];
  readonly faults: string[];
  /** Its calls to the API server, as `patch leases`. */
  readonly calls: string[];
  /** SIGTERM: it releases the Lease. */
  stop(): Promise<void>;
}

const candidates: Candidate[] = [];

async function candidate(name: string, times = QUICK): Promise<Candidate> {
  const between = await faultyApi(api.kubeconfig, name);
  const calls: string[] = [];
  const kubeCalled = (verb: string, resource: string) => void calls.push(`${verb} ${resource}`);
  const client = connectKube(between.kubeconfig, { kubeCalled, watchRestarted: () => {} });
  const faults: string[] = [];
  const log = (line: string) => void faults.push(line);
  const proxies = new Proxies({ client, namespace: 'default', log, changed: () => {} });
  await proxies.start();
  const election = new Election({ client, namespace: 'default', identity: name, leases: proxies.leases, times, log });
  const spans: Candidate['spans'] = [];
  const over = new AbortController();
  const lead = async (signal: AbortSignal) => {
    const span: Candidate['spans'][number] = { from: performance.now(), to: undefined };
    spans.push(span);
    await new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));
    span.to = performance.now();
  };
  const running = election.run(lead, over.signal);
  const one = {
    name,
    client,
    between,
    election,
    spans,
    faults,
    calls,
    async stop() {
      over.abort();
      await running;
      proxies.stop();
      await client.close();
      await between.stop();
    },
  };
  candidates.push(one);
  return one;
}

afterEach(async () => {
  for (const { between } of candidates) between.set('pass');
  await Promise.all(candidates.splice(0).map((one) => one.stop()));
});

const leaders = () => candidates.filter(({ election }) => election.leading).map(({ name }) => name);
/** Not by kubectl: while it runs, nobody in this process can renew. */
const holder = async () => (await getLease(direct, 'default', 'socketpod-controller'))?.spec?.holderIdentity;

/** At no time did two lead. */
function expectNeverTwo(): void {
  const spans = candidates.flatMap((one) => one.spans).sort((a, b) => a.from - b.from);
  for (const [i, { from }] of spans.entries()) if (i > 0) expect(spans[i - 1]?.to ?? Number.POSITIVE_INFINITY).toBeLessThanOrEqual(from);
}

describe('of several controllers', () => {
  it('one leads, and when it ends the next follows at once', async () => {
    const [a, b, c] = [await candidate('a', ELECTION_TIMES), await candidate('b', ELECTION_TIMES), await candidate('c', ELECTION_TIMES)];
    await until('one leads', () => leaders().length === 1);
    const [first] = leaders();
    expect(await holder()).toBe(first);
    const leader = [a, b, c].find(({ name }) => name === first);
    candidates.splice(candidates.indexOf(leader as Candidate), 1);
    await leader?.stop();
    await until('another leads', () => leaders().length === 1, 10_000);
    expect(await holder()).toBe(leaders()[0]);
    expectNeverTwo();
  });

  it('one that is cut off stops before another leads, and stands by again', async () => {
    const a = await candidate('a');
    await until('a leads', () => a.election.leading);
    const b = await candidate('b');
    a.between.set('stall');
    await until('b leads', () => b.election.leading, 20_000);
    expect(a.election.leading).toBe(false);
    expectNeverTwo();
    a.between.set('pass');
    b.between.set('refuse');
    await until('a leads again', () => a.election.leading, 20_000);
    expect(a.spans).toHaveLength(2);
    expectNeverTwo();
  });

  it('one whose watch is cut again and again makes no second leader', async () => {
    const a = await candidate('a');
    await until('a leads', () => a.election.leading);
    const b = await candidate('b');
    const end = performance.now() + 2 * QUICK.leaseMs;
    await until('two Leases have passed', () => {
      b.between.cut();
      return performance.now() > end;
    });
    expect(leaders()).toEqual(['a']);
    expect(b.spans).toEqual([]);
  });

  it('one that stands by asks the API server nothing', async () => {
    const a = await candidate('a');
    await until('a leads', () => a.election.leading);
    const b = await candidate('b');
    const end = performance.now() + 2 * QUICK.leaseMs;
    await until('two Leases have passed', () => performance.now() > end);
    expect(b.calls).toEqual(['list leases', 'watch leases']);
    expect(b.faults).toEqual([]);
  });

  it('one whose watch is silent asks, and is told that another leads', async () => {
    const a = await candidate('a');
    await until('a leads', () => a.election.leading);
    const b = await candidate('b');
    b.between.stallOpen();
    const end = performance.now() + 2 * QUICK.leaseMs;
    await until('two Leases have passed', () => performance.now() > end);
    expect(leaders()).toEqual(['a']);
    expect(b.spans).toEqual([]);
  });

  it('the leader makes a deleted Lease again, and goes on', async () => {
    const a = await candidate('a');
    await until('a leads', () => a.election.leading);
    await deleteLease(direct, { metadata: { namespace: 'default', name: 'socketpod-controller' } });
    await until('it is there again', async () => (await holder()) === 'a');
    expect(a.spans).toHaveLength(1);
    expect(a.election.leading).toBe(true);
  });

  it('one takes a Lease that bears no label of ours when its time is over', async () => {
    const body = { metadata: { name: 'socketpod-controller' }, spec: { holderIdentity: 'nobody', leaseDurationSeconds: 15 } };
    await deleteLease(direct, { metadata: { namespace: 'default', name: 'socketpod-controller' } });
    await direct.call('POST', '/apis/coordination.k8s.io/v1/namespaces/default/leases', { body });
    const begun = performance.now();
    const a = await candidate('a');
    await until('a leads', () => a.election.leading);
    expect(performance.now() - begun).toBeGreaterThan(QUICK.leaseMs);
    expect((await getLease(direct, 'default', 'socketpod-controller'))?.metadata?.labels).toEqual({ 'socketpod.dev/lease': 'controller' });
  });

  it('one whose work fails says so and releases the Lease', async () => {
    const election = new Election({ client: direct, namespace: 'default', identity: 'x', leases: new Map(), times: QUICK, log: () => {} });
    const bug = new Error('a bug');
    await expect(election.run(() => Promise.reject(bug), new AbortController().signal)).rejects.toBe(bug);
    expect(await holder()).toBe('');
  });
});
