// The admin port: what operators and Prometheus ask. It shows and ends connections, so it belongs on an inner address.
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { pipeline, Readable } from 'node:stream';
import { setImmediate } from 'node:timers/promises';
import { opened } from './proxy/opened.ts';
import type { ConnectionView } from './proxy/record.ts';

/** The connections of a data plane. */
export interface AdminConnections {
  all(): Iterable<ConnectionView>;
  /** Ends a connection for the operator. @returns false when there is none of this id */
  end(id: string): boolean;
}

/** What the admin port tells and does. */
export interface AdminSources {
  readonly metrics: { readonly contentType: string; text(): Promise<string> };
  /** Undefined: this process has none, and no such paths. */
  readonly connections?: AdminConnections;
  /** Why no connection is to be sent here; undefined when all is well. */
  notReady(): string | undefined;
}

/** The open admin port. */
export interface Admin {
  readonly port: number;
  close(): void;
}

/** Connections that are listed at a time: a millisecond's worth. */
const PIECE = 100;

interface Reply {
  readonly status: number;
  readonly type?: string;
  readonly body?: string | AsyncIterable<string>;
  readonly allow?: string;
}

/** Opens it. Rejects when it cannot be opened (EADDRINUSE, EACCES). */
export async function openAdmin({ host, port }: { host: string; port: number }, sources: AdminSources): Promise<Admin> {
  const server = createServer((request, response) => {
    request.resume();
    reply(request, sources).then(
      (answer) => send(response, answer),
      (error: Error) => send(response, { status: 500, body: `${error.message}\n` }),
    );
  });
  await opened(server, { port, host });
  return {
    port: (server.address() as AddressInfo).port,
    close() {
      server.close();
      server.closeAllConnections();
    },
  };
}

async function reply(request: IncomingMessage, { metrics, connections, notReady }: AdminSources): Promise<Reply> {
  const path = (request.url ?? '').split('?', 1)[0] ?? '';
  if (connections && path.startsWith('/connections/')) {
    if (request.method !== 'DELETE') return { status: 405, allow: 'DELETE', body: 'only DELETE\n' };
    return connections.end(path.slice('/connections/'.length)) ? { status: 204 } : { status: 404, body: 'no connection has this id\n' };
  }
  if (request.method !== 'GET' && request.method !== 'HEAD') return { status: 405, allow: 'GET, HEAD', body: 'only GET\n' };
  switch (path) {
    case '/metrics':
      return { status: 200, type: metrics.contentType, body: await metrics.text() };
    case '/connections':
      if (!connections) break;
      return { status: 200, type: 'application/json', body: listed(connections.all()) };
    case '/healthz':
      return { status: 200, body: 'ok\n' };
    case '/readyz': {
      const why = notReady();
      return why === undefined ? { status: 200, body: 'ok\n' } : { status: 503, body: `${why}\n` };
    }
  }
  const known = ['/metrics', '/healthz', '/readyz', ...(connections ? ['/connections', '/connections/<id>'] : [])];
  return { status: 404, body: `known are ${known.join(', ')}\n` };
}

/** The list in pieces: it is megabytes where there are thousands, and the relay goes on in between. */
async function* listed(connections: Iterable<ConnectionView>): AsyncGenerator<string> {
  let piece = '{"connections":[';
  let count = 0;
  for (const connection of connections) {
    piece += (count++ > 0 ? ',' : '') + JSON.stringify(connection);
    if (count % PIECE > 0) continue;
    yield piece;
    piece = '';
    await setImmediate();
  }
  yield `${piece}]}\n`;
}

function send(response: ServerResponse, { status, type = 'text/plain; charset=utf-8', body = '', allow }: Reply): void {
  response.writeHead(status, { 'Content-Type': type, 'Cache-Control': 'no-store', ...(allow ? { Allow: allow } : {}) });
  if (typeof body === 'string') response.end(body);
  else pipeline(Readable.from(body), response, () => {}); // after a fault there is nobody left to tell
}
