// The admin port: what operators and Prometheus ask. It shows and ends connections, so it belongs on an inner address.
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { ConnectionView } from './proxy/record.ts';

/** What the admin port tells and does. */
export interface AdminSources {
  readonly metrics: { readonly contentType: string; text(): Promise<string> };
  connections(): Iterable<ConnectionView>;
  /** Ends a connection for the operator. @returns false when there is none of this id */
  end(id: string): boolean;
  /** Why no connection is to be sent here; undefined when all is well. */
  notReady(): string | undefined;
}

/** The open admin port. */
export interface Admin {
  readonly port: number;
  close(): void;
}

interface Reply {
  readonly status: number;
  readonly type?: string;
  readonly body?: string;
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
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, () => {
      server.off('error', reject);
      resolve();
    });
  });
  return {
    port: (server.address() as AddressInfo).port,
    close() {
      server.close();
      server.closeAllConnections();
    },
  };
}

async function reply(request: IncomingMessage, sources: AdminSources): Promise<Reply> {
  const path = (request.url ?? '').split('?', 1)[0] ?? '';
  if (path.startsWith('/connections/')) {
    if (request.method !== 'DELETE') return { status: 405, allow: 'DELETE', body: 'only DELETE\n' };
    return sources.end(path.slice('/connections/'.length)) ? { status: 204 } : { status: 404, body: 'no connection has this id\n' };
  }
  if (request.method !== 'GET' && request.method !== 'HEAD') return { status: 405, allow: 'GET, HEAD', body: 'only GET\n' };
  switch (path) {
    case '/metrics':
      return { status: 200, type: sources.metrics.contentType, body: await sources.metrics.text() };
    case '/connections':
      return { status: 200, type: 'application/json', body: `${JSON.stringify({ connections: [...sources.connections()] })}\n` };
    case '/healthz':
      return { status: 200, body: 'ok\n' };
    case '/readyz': {
      const why = sources.notReady();
      return why === undefined ? { status: 200, body: 'ok\n' } : { status: 503, body: `${why}\n` };
    }
    default:
      return { status: 404, body: 'known are /metrics, /healthz, /readyz, /connections and /connections/<id>\n' };
  }
}

function send(response: ServerResponse, { status, type = 'text/plain; charset=utf-8', body = '', allow }: Reply): void {
  response.writeHead(status, { 'Content-Type': type, 'Cache-Control': 'no-store', ...(allow ? { Allow: allow } : {}) });
  response.end(body);
}
