// A TCP proxy between a client and a server that a test can make misbehave.
import { readFileSync, writeFileSync } from 'node:fs';
import { connect, createServer, type Socket } from 'node:net';
import { parse, stringify } from 'yaml';
import { listenAnywhere } from './ports.ts';

/** What happens to connections: `pass` them, `refuse` new ones and cut the open ones, or `stall` both ways. */
export type Fault = 'pass' | 'refuse' | 'stall';

/** A running fault proxy. */
export interface FaultProxy {
  readonly port: number;
  /** Connections that were taken so far. */
  readonly taken: () => number;
  set(fault: Fault): void;
  /** Resets what is open; new connections pass. */
  cut(): void;
  /** Stalls what is open, for ever; new connections pass. */
  stallOpen(): void;
  stop(): Promise<void>;
}

/** Opens a port that leads to this one of 127.0.0.1. */
export async function faultProxy(target: number): Promise<FaultProxy> {
  const sockets = new Set<Socket>();
  const stalled = new Set<Socket>();
  let fault: Fault = 'pass';
  let taken = 0;
  const server = createServer((near) => {
    if (fault === 'refuse') return void near.resetAndDestroy();
    taken++;
    const far = connect(target, '127.0.0.1');
    for (const [one, other] of [
      [near, far],
      [far, near],
    ] as const) {
      sockets.add(one);
      one.on('data', (chunk) => other.write(chunk));
      one.on('end', () => other.end());
      one.on('error', () => {});
      one.on('close', () => {
        sockets.delete(one);
        stalled.delete(one);
        other.destroy();
      });
      if (fault === 'stall') one.pause();
    }
  });
  const port = await listenAnywhere(server);
  const cut = () => {
    for (const socket of sockets) socket.resetAndDestroy();
  };
  return {
    port,
    taken: () => taken,
    set(next) {
      fault = next;
      if (next === 'refuse') cut();
      for (const socket of sockets) next === 'stall' || stalled.has(socket) ? socket.pause() : socket.resume();
    },
    cut,
    stallOpen() {
      for (const socket of sockets) {
        stalled.add(socket);
        socket.pause();
      }
    },
    async stop() {
      cut();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** Opens a port that leads to the API server of a kubeconfig, and writes another kubeconfig, of this name, that uses it. */
export async function faultyApi(kubeconfig: string, name = 'faults'): Promise<FaultProxy & { readonly kubeconfig: string }> {
  const config = parse(readFileSync(kubeconfig, 'utf8'));
  const between = await faultProxy(Number(new URL(config.clusters[0].cluster.server).port));
  config.clusters[0].cluster.server = `https://127.0.0.1:${between.port}`;
  writeFileSync(`${kubeconfig}.${name}`, stringify(config));
  return { ...between, kubeconfig: `${kubeconfig}.${name}` };
}
