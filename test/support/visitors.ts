// Clients that come and go: each opens, talks, closes by itself and comes again; what was not as it should be is kept in words.
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import type { WebSocket } from 'ws';
import { openSocket } from './node.ts';

/** Between two messages of a client (ms). */
const TALK_MS = 300;

/** Who comes. */
export interface VisitorOptions {
  /** The address, asked for anew each time. */
  url(): string;
  readonly count: number;
  /** How long one stays, at least and at most (ms). */
  readonly stayMs: readonly [least: number, most: number];
  /** A number from 0 to below 1. */
  random(): number;
}

/** Clients that come and go until they are told to stop. */
export interface Visitors {
  /** Sockets that are open. */
  readonly open: Set<WebSocket>;
  /** How many came to their own proper end. */
  closed: number;
  /** What befell an open socket that was not its own doing. */
  readonly lost: string[];
  /** Each refusal, as `503/500`, with ` without Retry-After` where it said nothing of when to come again. */
  readonly refused: string[];
  /** Lets them finish; resolves when all are gone. */
  stop(): Promise<void>;
}

/** Sends them. */
export function sendVisitors(options: VisitorOptions): Visitors {
  const over = new AbortController();
  const visitors = { open: new Set<WebSocket>(), closed: 0, lost: [] as string[], refused: [] as string[] };
  const all = Array.from({ length: options.count }, async () => {
    while (!over.signal.aborted)
      await visit(options, visitors).catch((error: Error) => visitors.lost.push(`at the handshake: ${error.message}`));
  });
  return Object.assign(visitors, {
    async stop() {
      over.abort();
      await Promise.all(all);
    },
  });
}

type Seen = Omit<Visitors, 'stop'>;

async function visit({ url, stayMs: [least, most], random }: VisitorOptions, seen: Seen): Promise<void> {
  const opened = await openSocket(url());
  if (!('socket' in opened)) {
    const retryAfter = opened.headers['retry-after'];
    seen.refused.push(`${opened.status}/${opened.code}${retryAfter === undefined ? ' without Retry-After' : ''}`);
    // As a client that is told when to come again; else as one that tries at once would be too much for two cores.
    return sleep(retryAfter === undefined ? TALK_MS : Number(retryAfter) * 1000);
  }
  const { socket } = opened;
  const id = String(opened.headers['x-request-id']);
  seen.open.add(socket);
  const begun = performance.now();
  const ended = once(socket, 'close').then(([code]) => {
    seen.open.delete(socket);
    return Number(code);
  });
  const leavesAt = begun + least + random() * (most - least);
  for (let n = 0; performance.now() < leavesAt && socket.readyState === socket.OPEN; n++) {
    const answer = once(socket, 'message').then(([data]) => String(data));
    socket.send(`${id} ${n}`);
    const got = await Promise.race([answer.catch(() => 'an error'), ended.then((code) => `the end, ${code}`)]);
    if (got !== `${id} ${n}`) {
      seen.lost.push(`${id}: after ${Math.round(performance.now() - begun)} ms, ${got}`);
      return;
    }
    await Promise.race([sleep(TALK_MS), ended]); // the pace of its talk
  }
  socket.close(1000);
  const code = await ended;
  if (code === 1000) seen.closed++;
  else seen.lost.push(`${id}: closed with ${code}, after ${Math.round(performance.now() - begun)} ms`);
}
