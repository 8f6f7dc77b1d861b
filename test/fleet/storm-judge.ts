// Judges a storm: what clients, proxies, functions and the independent watch each saw must be one story.
import { functionOf } from '../../src/core/pod.ts';
import { slotOf } from '../../src/core/slots.ts';
import type { Served } from '../support/kwok.ts';
import type { LogLine } from '../support/node.ts';
import type { PodHistory, PodLife } from '../support/pod-history.ts';
import { type StormFunction, versionOf } from './storm-actions.ts';
import type { Visit } from './storm-clients.ts';
import type { StormProxy } from './storm-proxies.ts';

/** What was seen. */
export interface Seen {
  readonly visits: readonly Visit[];
  readonly proxies: readonly StormProxy[];
  readonly served: readonly Served[];
  readonly pods: PodHistory;
  readonly functions: readonly StormFunction[];
  /** When the storm began (ms of performance.now()): the log of its actions counts from there. */
  readonly begunAt: number;
}

/** For how long a proxy that was told of an end waits for the one that explains it, and some more (ms). */
const EXPLAINED_MS = 5000;
/** How long a pod may take that is made by what was known as its connection came: the wait for a slot and a call's timeout, and some more (ms). */
const CREATE_MS = 35_000;

/** How an open connection may end: by its client, its function's deletion, or the end of its proxy. */
const ENDS_OPEN = ['normal_closure', 'client_dropped', 'client_no_status', 'function_deleted', 'drained'];
/** How one may be refused. */
const REFUSED = [
  ...['max_connections', 'api_unavailable', 'route_not_found', 'function_deleted', 'draining', 'client_left'],
  ...['start_rate_exceeded', 'overloaded'],
];

/** Everything that is wrong, in words. */
export function judge(seen: Seen): string[] {
  return [...judgeRecords(seen), ...judgeClients(seen), ...judgePods(seen), ...judgeServed(seen)];
}

function endsOf(proxy: StormProxy): LogLine[] {
  return proxy.lines.filter(({ message }) => message === 'end');
}

/** Each connection ends once, for a reason that there was. */
function judgeRecords(seen: Seen): string[] {
  const { proxies, visits } = seen;
  const found: string[] = [];
  const ends = new Map<string, number>();
  for (const proxy of proxies) {
    for (const { id, time, reason, httpStatus, detail, function: fn } of endsOf(proxy)) {
      ends.set(String(id), (ends.get(String(id)) ?? 0) + 1);
      const may = httpStatus === 101 ? ENDS_OPEN : REFUSED;
      const at = momentOf(time);
      // A proxy that cannot see its function's deletion sees only that the garbage collector deletes the pod.
      if (may.includes(String(reason)) || (reason === 'pod_deleted' && servedDeleted(seen, proxy, String(fn), at))) continue;
      const words = `${proxy.id}, ${proxy.state}: ${id} of ${fn} ended at ${secondsOf(seen, at)} with ${httpStatus} ${reason}: ${detail}`;
      found.push([words, ...podsOf(seen, String(id))].join('; '));
    }
  }
  for (const [id, count] of ends) if (count !== 1) found.push(`${id} has ${count} records`);
  for (const { id, proxy, status } of visits) {
    if (id !== '' && !ends.has(id) && proxy.state !== 'killed') found.push(`${id}, told ${status}, has no record at ${proxy.id}`);
  }
  return found;
}

/** ms of performance.now(), of a log line. */
function momentOf(time: unknown): number {
  return Date.parse(String(time)) - performance.timeOrigin;
}

/** The versions of a function, `namespace/name`, that a proxy went by in some moment of this time, by its own log. */
function knownBy({ lines }: StormProxy, fn: string, from: number, to: number): LogLine[] {
  const told = lines.filter((line) => line.message === 'function' && line.function === fn && momentOf(line.time) <= to);
  const first = told.findLastIndex(({ time }) => momentOf(time) <= from);
  return told.slice(Math.max(0, first));
}

/** The version of a function, `namespace/name`, that a proxy goes by now. */
export function knownNow(proxy: StormProxy, fn: string): string {
  const [known] = knownBy(proxy, fn, Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY);
  return versionOf(known?.uid, known?.generation);
}

/** Did this proxy still serve a function that had been deleted by then? */
function servedDeleted({ functions }: Seen, proxy: StormProxy, key: string, at: number): boolean {
  const fn = functions.find(({ name }) => key.endsWith(`/${name}`));
  return knownBy(proxy, key, at - EXPLAINED_MS, at).some(({ uid }) => (fn?.deletedAt.get(String(uid)) ?? Number.POSITIVE_INFINITY) <= at);
}

function secondsOf({ begunAt }: Seen, at: number | undefined): string {
  return at === undefined ? 'never' : `${((at - begunAt) / 1000).toFixed(1)} s`;
}

/** What became of the pods of a connection, in words. */
function podsOf(seen: Seen, id: string): string[] {
  return [...seen.pods.lives.values()]
    .filter(({ requestIds }) => requestIds.has(id))
    .map(({ name, proxy, pod, seenAt, deletedAt, goneAt }) => {
      const [made, going, gone] = [seenAt, deletedAt, goneAt].map((at) => secondsOf(seen, at));
      const { uid, ownerReferences, deletionGracePeriodSeconds: grace } = pod.metadata ?? {};
      const { phase, conditions = [] } = pod.status ?? {};
      const said = conditions.map(({ type, status, reason = '' }) => `${type} ${status} ${reason}`).join(', ');
      const owner = `${ownerReferences?.[0]?.name} ${ownerReferences?.[0]?.uid}`;
      return `its pod ${name} ${uid} of ${owner} and ${proxy}: seen ${made}, going ${going} (grace ${grace}), gone ${gone}; ${phase} ${said}`;
    });
}

/** Who was connected stayed so until he left, his function was deleted, or his proxy was killed or drained. */
function judgeClients({ visits }: Seen): string[] {
  return visits.flatMap(({ fn, id, status, left, closeCode, wrong, proxy }) => {
    const found = wrong === '' ? [] : [`${id} got a wrong answer: ${wrong}`];
    if (status !== 101 || left || proxy.state === 'killed') return found;
    const reason = String(endsOf(proxy).find((end) => end.id === id)?.reason);
    if (!['function_deleted', 'drained', 'pod_deleted'].includes(reason)) found.push(`${id} of ${fn} was lost: ${closeCode}, ${reason}`);
    return found;
  });
}

/** No pod serves two, and each is in a slot below the ceiling that its proxy knew: a name is there once, so there are never more. */
function judgePods({ pods, functions, proxies }: Seen): string[] {
  const found: string[] = [];
  for (const { name, uid, function: fn, proxy: id, requestIds, pod, seenAt } of pods.lives.values()) {
    if (requestIds.size > 1) found.push(`pod ${name} ${uid} was for ${[...requestIds].join(' and ')}`);
    const maker = proxies.find((proxy) => proxy.id === id);
    const known = maker ? knownBy(maker, functionOf(pod), seenAt - CREATE_MS, seenAt) : [];
    const ceilings = functions.find((one) => one.name === fn)?.ceilings;
    const allowed = Math.max(0, ...known.map(({ uid, generation }) => ceilings?.get(versionOf(uid, generation)) ?? 0));
    if ((slotOf(name)?.slot ?? 0) >= allowed) found.push(`pod ${name} of ${id} was made where ${allowed} were allowed`);
  }
  return found;
}

/** As the functions saw it: one connection a pod, ever. */
function judgeServed({ served, pods }: Seen): string[] {
  const found: string[] = [];
  const byAddress = Map.groupBy(pods.lives.values(), ({ address }) => address);
  const used = new Map<PodLife, string>();
  for (const { address, id, openedAt } of served) {
    const lives = byAddress.get(address) ?? [];
    const life = lives.find(({ requestIds }) => requestIds.has(id)) ?? lives.findLast((one) => one.seenAt <= openedAt);
    if (!life) found.push(`${id} was served at ${address}, where no pod was`);
    else if (used.has(life)) found.push(`pod ${life.name} ${life.uid} served ${used.get(life)} and ${id}`);
    else used.set(life, id);
  }
  return found;
}
