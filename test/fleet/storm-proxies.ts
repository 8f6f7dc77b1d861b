// The proxies of the storm: killed, drained and started again while the others serve.
import { once } from 'node:events';
import { idOf, killNow } from '../support/fleet.ts';
import { type LogLine, type NodeProxy, startNodeProxy } from '../support/node.ts';

/** One process, dead ones too. */
export interface StormProxy {
  readonly port: number;
  readonly id: string;
  readonly lines: readonly LogLine[];
  readonly process: NodeProxy;
  state: 'serving' | 'draining' | 'drained' | 'killed';
  /** Its end is decided: nobody else ends it. */
  doomed: boolean;
}

/** All that ever ran, and how one is made. */
export class StormProxies {
  readonly all: StormProxy[] = [];
  readonly #args: readonly string[];

  constructor(args: readonly string[]) {
    this.#args = args;
  }

  get serving(): StormProxy[] {
    return this.all.filter(({ state }) => state === 'serving');
  }

  /** As a kubelet does: again until it comes up, for an API server that is away lets no proxy start. */
  async start(): Promise<StormProxy> {
    let process: NodeProxy | undefined;
    while (!process) process = await startNodeProxy(this.#args).catch(() => undefined);
    const proxy: StormProxy = { port: process.port, id: idOf(process), lines: process.lines, process, state: 'serving', doomed: false };
    this.all.push(proxy);
    return proxy;
  }

  /** kill -9; another one takes its place. */
  async kill(proxy: StormProxy): Promise<void> {
    proxy.doomed = true;
    proxy.state = 'killed';
    await killNow(proxy.process);
    await this.start();
  }

  /** SIGTERM; another one takes its place. Resolves when that serves, and the old one has come to its end. */
  async roll(proxy: StormProxy): Promise<void> {
    proxy.doomed = true;
    await this.start();
    proxy.state = 'draining';
    const { child } = proxy.process;
    const exited = once(child, 'exit');
    child.kill('SIGTERM');
    await exited;
    proxy.state = 'drained';
  }

  async stop(): Promise<void> {
    await Promise.all(this.all.filter(({ state }) => state !== 'killed').map(({ process }) => process.stop()));
  }
}
