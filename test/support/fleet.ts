// Several proxies as they run in a cluster, each a process of its own; the ends of processes; and clients by the dozen.
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import type { WebSocket } from 'ws';
import { samples } from './metrics.ts';
import { type NodeProxy, type Opened, openSocket, startNodeProxy } from './node.ts';

/** kill -9, and waits until the process is gone. */
export async function killNow({ child }: { readonly child: ChildProcess }): Promise<void> {
  child.kill('SIGKILL');
  if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
}

/** The 10-character id of a proxy. */
export function idOf(proxy: NodeProxy): string {
  return String(proxy.lines.find(({ message }) => message === 'listening')?.proxy);
}

/** Starts this many proxies, side by side. */
export function startProxies(count: number, args: readonly string[] = []): Promise<NodeProxy[]> {
  return Promise.all(Array.from({ length: count }, () => startNodeProxy(args)));
}

/** Waits until each serves each of the functions of a namespace. */
export async function allServe(proxies: readonly NodeProxy[], namespace: string, names: readonly string[]): Promise<void> {
  await Promise.all(proxies.flatMap((proxy) => names.map((name) => proxy.serves(`${namespace}/${name}`))));
}

/** The samples of a process's metrics. */
export async function metricsOf({ adminPort }: { readonly adminPort: number }): Promise<Map<string, number>> {
  return samples(await (await fetch(`http://127.0.0.1:${adminPort}/metrics`)).text());
}

/** The sum of all series of this name. */
export function sumOf(counted: ReadonlyMap<string, number>, name: string): number {
  return [...counted].reduce((sum, [series, value]) => (series.split('{')[0] === name ? sum + value : sum), 0);
}

/** What came of many upgrades at once. */
export interface Crowd {
  readonly open: WebSocket[];
  /** How often each answer came, as `429/432`; `failed` where there was none. */
  readonly refused: Record<string, number>;
}

/**
 * Opens this many at once, the next one through the next proxy.
 * @param patient who is refused with Retry-After comes back once, after that time
 */
export async function openCrowd(
  proxies: readonly { readonly port: number }[],
  path: string,
  count: number,
  patient = false,
): Promise<Crowd> {
  const upgrades = Array.from({ length: count }, async (_, i) => {
    const { port } = proxies[i % proxies.length] as { port: number };
    const open = () => openSocket(`ws://127.0.0.1:${port}${path}`).catch((error: Error) => error);
    const first = await open();
    const retryAfter = 'status' in first ? Number(first.headers['retry-after']) : 0;
    if (!patient || !retryAfter) return first;
    await sleep(retryAfter * 1000); // as long as it was told
    return open();
  });
  const open: WebSocket[] = [];
  const refused: Record<string, number> = {};
  for (const result of await Promise.all(upgrades)) {
    if ('socket' in result) open.push(result.socket);
    else {
      const word = wordOf(result);
      refused[word] = (refused[word] ?? 0) + 1;
    }
  }
  return { open, refused };
}

function wordOf(result: Exclude<Opened, { socket: WebSocket }> | Error): string {
  return result instanceof Error ? `failed: ${result.message}` : `${result.status}/${result.code}`;
}

/** Closes all with 1000 and waits until each has ended. */
export async function closeAll(sockets: readonly WebSocket[]): Promise<void> {
  await Promise.all(
    sockets.map(async (socket) => {
      if (socket.readyState === socket.CLOSED) return;
      const closed = once(socket, 'close');
      socket.close(1000);
      await closed;
    }),
  );
}
