// Plays many clients against one proxy, and judges what they saw by what the proxy recorded.
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { LIMITS } from '../../src/core/limit.ts';
import { outcome } from '../../src/core/outcome.ts';
import type { ConnectionRecord, Violation } from '../../src/proxy/record.ts';
import { randomBy } from '../support/frames.ts';
import { type ClientScript, clientScript, functionScript, type Scene } from './behaviours.ts';
import { Player } from './play.ts';

/** The longest of a script, the init timeout and closing, in ms: a connection that has not ended by then never will. */
const HANGS_MS = 15_000;

/** Random numbers by SOCKETPOD_CHAOS_SEED, or by one that is printed. */
export function chaosSeed(): number {
  const seed = Number(process.env.SOCKETPOD_CHAOS_SEED ?? Math.floor(Math.random() * 2 ** 32));
  console.log(`chaos: SOCKETPOD_CHAOS_SEED=${seed}`);
  return seed;
}

/** Where and how many. */
export interface Chaos {
  readonly port: number;
  readonly scene: Scene;
  /** The first connection's seed; the next ones follow. */
  readonly seed: number;
  readonly connections: number;
  readonly atOnce: number;
  /** Longer where a start takes longer. */
  readonly hangsMs?: number;
}

/** What became of one client. */
export interface Played {
  readonly seed: number;
  readonly script: ClientScript;
  readonly head: string;
  readonly close: Player['close'];
  readonly hung: boolean;
}

/** Plays all; `left` gets the sockets that clients leave half-open. */
export async function playClients(chaos: Chaos, left: Set<Socket>): Promise<Played[]> {
  const played: Played[] = [];
  let next = chaos.seed;
  const worker = async () => {
    while (next < chaos.seed + chaos.connections) played.push(await playClient(chaos, next++, left));
  };
  await Promise.all(Array.from({ length: chaos.atOnce }, worker));
  return played;
}

async function playClient({ port, scene, hangsMs = HANGS_MS }: Chaos, seed: number, left: Set<Socket>): Promise<Played> {
  const script = clientScript(randomBy(seed), seed, scene);
  const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true, noDelay: true });
  left.add(socket);
  socket.once('close', () => left.delete(socket));
  const player = new Player(socket, true);
  await once(socket, 'connect');
  const late = new AbortController();
  const hung = once(AbortSignal.any([AbortSignal.timeout(hangsMs), late.signal]), 'abort').then(() => !late.signal.aborted);
  const ended = player.play(script.steps).then(() => {
    socket.resume(); // a script that was cut may have left it stalled, where no end is seen
    return player.over;
  });
  const hangs = await Promise.race([ended.then(() => false), hung]);
  late.abort();
  if (hangs) socket.destroy(); // it is reported, and must not hide what else is wrong
  return { seed, script, head: player.head, close: player.close, hung: hangs };
}

/** What is recorded of an end, as far as it is judged here. */
export type Recorded = Pick<ConnectionRecord, 'id' | 'reason' | 'httpStatus'>;

/** What a proxy told of its connections; `violations` where they can be had. */
interface Told {
  readonly records: readonly Recorded[];
  readonly violations?: readonly Violation[];
}

/** Everything that is wrong, in words. */
export function faults(played: readonly Played[], { records, violations }: Told): string[] {
  const byId = new Map(records.map((record) => [record.id, record]));
  const found: string[] = [];
  const expected = played.reduce((sum, { script }) => sum + script.ends, 0);
  if (records.length !== expected) found.push(`${records.length} ends are recorded of ${expected} requests`);
  if (byId.size !== records.length) found.push(`${records.length - byId.size} ends are recorded twice`);
  for (const { id, reason } of records) if (reason === 'internal_error') found.push(`${id} ended by an internal error`);
  for (const reason of violations ? new Set(Object.values(LIMITS).map((limit) => limit.reason)) : []) {
    const ends = records.filter((record) => record.reason === reason).length;
    const counted = violations?.filter(({ limit, action }) => LIMITS[limit].reason === reason && action !== 'throttle').length;
    if (ends !== counted) found.push(`${counted} violations are counted of ${ends} ends by ${reason}`);
  }
  for (const one of played) {
    const problem = fault(one, byId);
    if (problem === undefined) continue;
    const fn = functionScript(randomBy(one.seed), false);
    found.push(`seed ${one.seed}: ${problem}\n  client: ${one.script.name}\n  function: ${fn.name}`);
  }
  return found;
}

/** What is wrong between what a client saw and the record of it. */
function fault({ script, head, close, hung }: Played, byId: ReadonlyMap<string, Recorded>): string | undefined {
  if (hung) return `never ended, after ${JSON.stringify(head)}`;
  if (head === '') return script.waits ? 'waited for an answer and got none' : undefined;
  const header = (name: string) => new RegExp(`^${name}: (.*)\r$`, 'im').exec(head)?.[1];
  const status = Number(head.split(' ')[1]);
  const id = header('X-Request-Id');
  if (id === undefined) return script.ends === 0 ? undefined : `an answer without an id: ${head}`;
  const record = byId.get(id);
  if (!record) return `its end is not recorded; it was told ${head}`;
  if (record.httpStatus !== status) return `${status} was told and ${record.httpStatus} recorded`;
  const { code } = outcome(record.reason);
  if (status !== 101) return header('X-Socketpod-Status') === String(code) ? undefined : `${record.reason} was told as ${head}`;
  const told = /^(\d{3}) /.exec(close?.text ?? '')?.[1];
  return told === undefined || told === String(code) ? undefined : `${record.reason} was told as ${close?.text}`;
}
