// Connects to a port that may not be open yet. The connection that succeeds is the one that is used: a server that is told
// "one connection" sees one, and not a probe before it.
import { connect, type Socket } from 'node:net';

/** Between two tries, in ms: a function that listens is found within this. */
const RETRY_MS = 5;
/** A single try; longer ones mean a lost packet: the neighbour's first answer is retried after 1 s (ms). */
const TRY_MS = 250;

/**
 * Connects as soon as something listens.
 * @returns an open socket on which nothing was sent; undefined when `signal` was aborted before
 */
export async function probe(host: string, port: number, signal: AbortSignal): Promise<Socket | undefined> {
  while (!signal.aborted) {
    const socket = await connectOnce(host, port, TRY_MS, signal);
    if (socket && !signal.aborted) return socket;
    socket?.destroy();
    await pause(RETRY_MS, signal);
  }
  return undefined;
}

/**
 * Is the socket connected to itself? TCP opens both ends at once where the system picks, of all free ports, the one that is called
 * and nobody listens on; on a machine's own address, tried every few ms, that happens.
 */
export function isSelf(socket: Socket): boolean {
  return socket.localPort === socket.remotePort && socket.localAddress === socket.remoteAddress;
}

/**
 * A single try.
 * @returns as `probe`; undefined too when nothing listens, or nobody has answered after `withinMs`
 */
export function connectOnce(host: string, port: number, withinMs: number, signal: AbortSignal): Promise<Socket | undefined> {
  return new Promise((resolve) => {
    const socket = connect({ host, port, noDelay: true, allowHalfOpen: true });
    let settled = false;
    const settle = (result: Socket | undefined) => {
      if (settled) return;
      settled = true;
      clearTimeout(timer);
      signal.removeEventListener('abort', giveUp);
      socket.removeAllListeners('connect').removeListener('error', giveUp);
      socket.on('error', () => {}); // also for the moment until its owner listens: an error is followed by 'close'
      if (!result) socket.destroy();
      resolve(result);
    };
    const giveUp = () => settle(undefined);
    // Not at once: where this process was held up for so long, the answer may lie there unread.
    const timer = setTimeout(() => setImmediate(giveUp), withinMs);
    signal.addEventListener('abort', giveUp, { once: true });
    socket.once('connect', () => settle(isSelf(socket) ? undefined : socket));
    socket.once('error', giveUp);
  });
}

function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      clearTimeout(timer);
      signal.removeEventListener('abort', done);
      resolve();
    };
    const timer = setTimeout(done, ms);
    signal.addEventListener('abort', done, { once: true });
    if (signal.aborted) done();
  });
}
