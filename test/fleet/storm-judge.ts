// Judges a storm: what clients, proxies, functions and the independent watch each saw must be one story.
import type { Served } from '../support/kwok.ts';
import type { LogLine } from '../support/node.ts';
import type { PodHistory, PodLife } from '../support/pod-history.ts';
import type { StormFunction } from './storm-actions.ts';
import type { Visit } from './storm-clients.ts';
import type { StormProxy } from './storm-proxies.ts';

/** What was seen. */
export interface Seen {
  readonly visits: readonly Visit[];
  readonly proxies: readonly StormProxy[];
  readonly served: readonly Served[];
  readonly pods: PodHistory;
  readonly functions: readonly StormFunction[];
  /** Longest time for which a proxy may act on an old function or pod: a fault of the API server and a little more (ms). */
  readonly blindMs: number;
}

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
      // A proxy that cannot see its function's deletion sees only that somebody deletes the pod.
      const deleted = reason === 'pod_deleted' && wasDeleted(seen, String(fn), Date.parse(String(time)) - performance.timeOrigin);
      if (!deleted && !may.includes(String(reason))) found.push(`${proxy.id}: ${id} ended with ${httpStatus} ${reason}: ${detail}`);
    }
  }
  for (const [id, count] of ends) if (count !== 1) found.push(`${id} has ${count} records`);
  for (const { id, proxy, status } of visits) {
    if (id !== '' && !ends.has(id) && proxy.state !== 'killed') found.push(`${id}, told ${status}, has no record at ${proxy.id}`);
  }
  return found;
}

/** Was this function deleted, not long before? */
function wasDeleted({ functions, blindMs }: Seen, key: string, at: number): boolean {
  const fn = functions.find(({ name }) => key.endsWith(`/${name}`));
  return fn?.deletedAt.some((deletedAt) => deletedAt <= at && at - deletedAt < blindMs) ?? false;
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

/** No pod serves two, and there are never more than allowed. */
function judgePods({ pods, functions, blindMs }: Seen): string[] {
  const found: string[] = [];
  for (const { name, uid, requestIds } of pods.lives.values()) {
    if (requestIds.size > 1) found.push(`pod ${name} ${uid} was for ${[...requestIds].join(' and ')}`);
  }
  for (const { name, asked } of functions) {
    const lives = [...pods.lives.values()].filter((life) => life.function === name);
    for (const life of lives) {
      const there = lives.filter((other) => other.seenAt <= life.seenAt && (other.goneAt ?? Number.POSITIVE_INFINITY) > life.seenAt);
      const allowed = mostAllowed(asked, Math.min(...there.map(({ seenAt }) => seenAt)) - blindMs, life.seenAt);
      if (there.length > allowed) found.push(`${there.length} pods of ${name} where ${allowed} were allowed`);
    }
  }
  return found;
}

/** The largest maxConnections that held at any moment of this time. */
function mostAllowed(asked: StormFunction['asked'], from: number, to: number): number {
  return Math.max(
    ...asked.map(({ at, maxConnections }, i) => (at <= to && (asked[i + 1]?.at ?? Number.POSITIVE_INFINITY) >= from ? maxConnections : 0)),
  );
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
