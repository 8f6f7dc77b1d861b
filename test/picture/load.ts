// Clients for the picture: they come at random, stay at random, and end in every way that clients and functions end.
import { once } from 'node:events';
import { setTimeout as after } from 'node:timers/promises';
import type { WebSocket } from 'ws';
import { openSocket } from '../support/node.ts';

/** What the clients of a function do. */
export interface Crowd {
  /** Path of its address. */
  readonly path: string;
  /** How many come in a second, on average, at a moment of the run from 0 to 1. */
  readonly comes: (part: number) => number;
  /** How long one stays (s), on average. */
  readonly stays: number;
  /** Messages in a second of one. */
  readonly says: number;
  /** Out of how many one: closes properly first, then the rest in turn. */
  readonly ends: Readonly<Record<string, number>>;
}

/** How a client ends its connection; a text is said to the function. */
const ENDINGS: Readonly<Record<string, (socket: WebSocket) => void>> = {
  closes: (socket) => socket.close(1000),
  leaves: (socket) => socket.close(1001),
  drops: (socket) => socket.terminate(),
  'sends too much': (socket) => socket.send(Buffer.alloc(400_000)),
  'finds it dead': (socket) => socket.send('exit 7'),
  'falls silent': () => {},
};

/** Random numbers that are the same in each run. */
export function randomBySeed(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state * 1_664_525 + 1_013_904_223) % 2 ** 32;
    return state / 2 ** 32;
  };
}

/** Lets the crowds come for so long (s); resolves when the last client has gone or the run is over. */
export async function load(base: string, crowds: readonly Crowd[], seconds: number, random: () => number): Promise<void> {
  const clients = new Set<Promise<void>>();
  const begun = performance.now();
  const part = () => (performance.now() - begun) / 1000 / seconds;
  await Promise.all(
    crowds.map(async (crowd) => {
      while (part() < 1) {
        await after((-Math.log(1 - random()) / crowd.comes(part())) * 1000);
        const client = play(base, crowd, random).catch(() => {}); // a refusal is one of the things to be seen
        clients.add(client);
        client.finally(() => clients.delete(client));
      }
    }),
  );
}

async function play(base: string, { path, stays, says, ends }: Crowd, random: () => number): Promise<void> {
  const opened = await openSocket(base + path);
  if (!('socket' in opened)) return;
  const { socket } = opened;
  socket.on('error', () => {});
  const closed = once(socket, 'close');
  const chatter = setInterval(() => socket.send('x'.repeat(20 + Math.floor(random() * 400))), 1000 / says);
  const gone = closed.then(() => clearInterval(chatter));
  await Promise.race([gone, after(-Math.log(1 - random()) * stays * 1000)]);
  clearInterval(chatter);
  if (socket.readyState === socket.OPEN) ENDINGS[choose(ends, random())]?.(socket);
  await gone;
}

function choose(parts: Readonly<Record<string, number>>, at: number): string {
  const all = Object.values(parts).reduce((sum, one) => sum + one, 0);
  let left = at * all;
  for (const [name, part] of Object.entries(parts)) {
    left -= part;
    if (left < 0) return name;
  }
  return Object.keys(parts)[0] ?? '';
}
