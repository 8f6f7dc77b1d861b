// The clients of the storm: each opens to a random function through a random proxy, talks, and leaves in one of the ways clients do.
import { setTimeout as sleep } from 'node:timers/promises';
import { WebSocket } from 'ws';
import type { StormProxy } from './storm-proxies.ts';

/** What became of one upgrade request. */
export interface Visit {
  readonly fn: string;
  readonly proxy: StormProxy;
  /** From the answer; empty when there was none. */
  id: string;
  /** HTTP status; 0 when there was no answer. */
  status: number;
  /** Did the client end it: before the answer, or after? */
  left: boolean;
  /** The close code that the client saw; 0 while it is open. */
  closeCode: number;
  /** An answer that was not the echo, in words. */
  wrong: string;
}

/** Where they go, and what is random. */
export interface StormClientsOptions {
  readonly count: number;
  readonly namespace: string;
  readonly functions: readonly string[];
  /** A proxy that takes connections, as far as is known. */
  proxy(): StormProxy;
  random(): number;
}

/** The clients. */
export class StormClients {
  readonly visits: Visit[] = [];
  readonly open = new Map<WebSocket, Visit>();
  /** While it is set nobody opens and nobody leaves. */
  paused = false;
  readonly #options: StormClientsOptions;
  #over = false;
  readonly #all: Promise<unknown>;

  constructor(options: StormClientsOptions) {
    this.#options = options;
    this.#all = Promise.all(Array.from({ length: options.count }, () => this.#run()));
  }

  /** How many are open to this function. */
  openTo(fn: string): number {
    return [...this.open.values()].filter((visit) => visit.fn === fn).length;
  }

  /** Everybody leaves, and nobody comes. */
  async stop(): Promise<void> {
    this.#over = true;
    this.paused = false;
    await this.#all;
  }

  async #run(): Promise<void> {
    const { random } = this.#options;
    while (!this.#over) {
      await this.#while(random() * 400, () => true);
      if (!this.#over) await this.#visit();
    }
  }

  /** Waits for this long while the condition holds, and for as long as the storm pauses. */
  async #while(ms: number, holds: () => boolean): Promise<void> {
    const end = performance.now() + ms;
    while (holds() && (this.paused || (performance.now() < end && !this.#over))) await sleep(20); // looks again
  }

  async #visit(): Promise<void> {
    const { functions, namespace, proxy: pick, random } = this.#options;
    const fn = functions[Math.floor(random() * functions.length)] ?? '';
    const proxy = pick();
    const visit: Visit = { fn, proxy, id: '', status: 0, left: false, closeCode: 0, wrong: '' };
    this.visits.push(visit);
    const socket = new WebSocket(`ws://127.0.0.1:${proxy.port}/${namespace}/${fn}`, { handshakeTimeout: 120_000 });
    socket.on('error', () => {}); // 'close' follows
    // Not by once(), which rejects at an error.
    const closed = new Promise<void>((resolve) => {
      socket.on('close', (code) => {
        visit.closeCode = code;
        this.open.delete(socket);
        resolve();
      });
    });
    const opened = new Promise<void>((resolve) => socket.on('open', resolve));
    socket.on('unexpected-response', (_request, response) => {
      visit.id = String(response.headers['x-request-id']);
      visit.status = response.statusCode ?? 0;
      response.resume();
      socket.terminate();
    });
    socket.on('upgrade', (response) => {
      visit.id = String(response.headers['x-request-id']);
      visit.status = 101;
      this.open.set(socket, visit);
    });
    if (random() < 0.05) {
      await Promise.race([sleep(random() * 300), closed]);
      visit.left = true;
      socket.terminate();
      return closed;
    }
    await Promise.race([opened, closed]);
    if (socket.readyState === WebSocket.OPEN) await this.#stay(socket, visit);
    return closed;
  }

  async #stay(socket: WebSocket, visit: Visit): Promise<void> {
    const { random } = this.#options;
    socket.on('message', (data) => {
      if (String(data) !== visit.id) visit.wrong = `told ${data}`;
    });
    const stay = random() < 0.2 ? random() * 20_000 : random() * 3000; // some outlive faults and edits
    const end = random();
    socket.send(visit.id);
    await this.#while(stay, () => socket.readyState === WebSocket.OPEN);
    if (socket.readyState !== WebSocket.OPEN) return;
    visit.left = true;
    if (end < 0.8) socket.close(1000);
    else socket.terminate();
  }
}
