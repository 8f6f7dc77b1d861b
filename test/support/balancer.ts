// A load balancer for TCP, as small as one can be: it asks each target's health path, and gives each connection to the next healthy one.
import { connect, createServer, type Socket } from 'node:net';
import { listenAnywhere } from './ports.ts';

/** Between two looks at a target (ms): a draining proxy must go on taking connections for longer than this. */
const LOOK_MS = 200;

/** A running balancer. */
export interface Balancer {
  readonly port: number;
  /** Ports of 127.0.0.1 that may get connections. */
  readonly targets: Set<number>;
  stop(): void;
}

/** Listens on a free port, without targets. */
export async function startBalancer(): Promise<Balancer> {
  const targets = new Set<number>();
  const healthy = new Set<number>();
  let turn = 0;
  const give = (client: Socket, tries: readonly number[]): void => {
    const [port, ...others] = tries;
    if (port === undefined) return void client.destroy();
    const far = connect({ port, host: '127.0.0.1', allowHalfOpen: true, noDelay: true });
    far.once('error', () => (far.bytesRead + far.bytesWritten === 0 ? give(client, others) : client.destroy())); // refused: the next one
    far.once('connect', () => {
      far.pipe(client).pipe(far);
      client.once('close', () => far.destroy());
      far.once('close', () => client.destroy());
    });
  };
  const server = createServer({ allowHalfOpen: true, noDelay: true }, (client) => {
    client.on('error', () => {}); // 'close' follows
    const ports = [...healthy];
    const first = turn++ % Math.max(1, ports.length);
    give(client, [...ports.slice(first), ...ports.slice(0, first)]);
  });
  const look = async (port: number) => {
    const answer = await fetch(`http://127.0.0.1:${port}/.socketpod/health`, { signal: AbortSignal.timeout(1000) }).catch(() => undefined);
    if (answer?.status === 200 && targets.has(port)) healthy.add(port);
    else healthy.delete(port);
  };
  const timer = setInterval(() => [...new Set([...targets, ...healthy])].forEach((port) => void look(port)), LOOK_MS);
  const port = await listenAnywhere(server);
  const stop = () => {
    clearInterval(timer);
    server.close();
  };
  return { port, targets, stop };
}
