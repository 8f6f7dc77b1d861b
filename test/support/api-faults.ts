// An API server that fails as real ones do, for the processes that get its kubeconfig: every call goes through here, is counted, and may be
// refused, held, answered with an error, or lost after it was done. What TLS hides from support/faults.ts is in reach here: it speaks
// plain HTTP to the process, and TLS with the admin's certificate to the API server.
import { readFileSync, writeFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { Agent, request } from 'node:https';
import { setTimeout as sleep } from 'node:timers/promises';
import { parse, stringify } from 'yaml';
import { kubeCall } from '../../src/core/kube-call.ts';
import { listenAnywhere } from './ports.ts';

/**
 * `stopped`: nobody listens. `stalled`: it answers nothing, and what it is told is done when it is over. `busy`: 429 to all. `broken`: 500
 * to all. `choppy`: watches are cut a second after they are opened, all else passes.
 */
export type ApiFault = 'pass' | 'stopped' | 'stalled' | 'busy' | 'broken' | 'choppy';

/** A way to the API server. */
export interface FaultyApi {
  readonly kubeconfig: string;
  /** Calls so far by `verb resource`; a watch is one call. */
  readonly calls: ReadonlyMap<string, number>;
  set(fault: ApiFault): void;
  /** Ends all watches, in the middle of whatever they say. */
  cutWatches(): void;
  /** Ends all watches; the next ones are told that their version is too old (410). */
  expireWatches(): void;
  /** The next `count` pods are made, and their creates answered with 504. */
  loseCreates(count: number): void;
  stop(): Promise<void>;
}

interface Call {
  readonly verb: string;
  readonly answer: ServerResponse;
  from?: IncomingMessage;
}

/** Opens such a way to the API server of the tests' kubeconfig, and writes a kubeconfig for it. */
export async function startFaultyApi(name = 'faulty'): Promise<FaultyApi> {
  const config = parse(readFileSync(process.env.KUBECONFIG ?? '', 'utf8'));
  const target = new URL(config.clusters[0].cluster.server);
  const read = (path: string) => readFileSync(path);
  const { 'client-certificate': cert, 'client-key': key } = config.users[0].user;
  const agent = new Agent({
    keepAlive: true,
    ca: read(config.clusters[0].cluster['certificate-authority']),
    cert: read(cert),
    key: read(key),
  });
  const calls = new Map<string, number>();
  const open = new Set<Call>();
  let fault: ApiFault = 'pass';
  let expired = 0;
  let lost = 0;

  const forward = (asked: IncomingMessage, call: Call, body: Buffer) => {
    const { method, url: path, headers } = asked;
    const loses = call.verb === 'create pods' && lost > 0 && lost-- > 0;
    const there = request({ agent, hostname: target.hostname, port: target.port, method, path, headers }, (from) => {
      if (loses) return void from.resume().once('end', () => refuse(call.answer, 504, 'Timeout'));
      call.from = from;
      call.answer.writeHead(from.statusCode ?? 502, from.headers);
      call.answer.flushHeaders(); // a watch without events has said that it is open
      from.once('error', () => call.answer.destroy());
      if (fault !== 'stalled') from.pipe(call.answer);
    });
    there.once('error', () => call.answer.destroy());
    call.answer.once('close', () => there.destroy());
    there.end(body);
  };

  const server = createServer(async (asked, answer) => {
    const url = new URL(asked.url ?? '', 'http://api');
    const { verb, resource } = kubeCall(asked.method ?? '', url.pathname, url.searchParams.has('watch'));
    const call: Call = { verb: `${verb} ${resource}`, answer };
    calls.set(call.verb, (calls.get(call.verb) ?? 0) + 1);
    open.add(call);
    answer.once('close', () => open.delete(call));
    const chunks: Buffer[] = [];
    for await (const chunk of asked) chunks.push(chunk);
    while (fault === 'stalled' && !answer.destroyed) await sleep(20); // looks whether it is over
    if (answer.destroyed) return; // whoever asked has given up
    if (fault === 'stopped') return void answer.destroy();
    if (fault === 'choppy' && verb === 'watch') setTimeout(() => answer.destroy(), 1000); // the fault itself
    if (fault === 'busy') return refuse(answer.setHeader('retry-after', '1'), 429, 'TooManyRequests');
    if (fault === 'broken') return refuse(answer, 500, 'InternalError');
    if (verb === 'watch' && expired > 0 && expired-- > 0) return refuse(answer, 410, 'Expired');
    forward(asked, call, Buffer.concat(chunks));
  });
  server.on('clientError', (_error, socket) => socket.destroy());
  const port = await listenAnywhere(server);
  const kubeconfig = `${process.env.KUBECONFIG}.${name}`;
  const cluster = { server: `http://127.0.0.1:${port}`, 'insecure-skip-tls-verify': true }; // or client-node refuses HTTP
  writeFileSync(kubeconfig, stringify({ ...config, clusters: [{ name: 'c', cluster }], users: [{ name: 'u', user: {} }] }));

  const watches = () => [...open].filter(({ verb }) => verb.startsWith('watch '));
  const cutWatches = () => {
    for (const { answer } of watches()) answer.destroy();
  };
  return {
    kubeconfig,
    calls,
    set(next) {
      const was = fault;
      fault = next;
      if (next === 'stopped') server.closeAllConnections();
      if (next === 'busy' || next === 'broken' || next === 'choppy') cutWatches();
      if ((was === 'stalled') === (next === 'stalled')) return;
      for (const { from, answer } of open) next === 'stalled' ? from?.unpipe(answer) : from?.pipe(answer);
    },
    cutWatches,
    expireWatches() {
      expired = watches().length;
      cutWatches();
    },
    loseCreates(count) {
      lost = count;
    },
    async stop() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
      agent.destroy();
    },
  };
}

function refuse(answer: ServerResponse, code: number, reason: string): void {
  const status = { kind: 'Status', apiVersion: 'v1', status: 'Failure', code, reason, message: `${reason}, says the test` };
  answer.writeHead(code, { 'content-type': 'application/json' }).end(JSON.stringify(status));
}
