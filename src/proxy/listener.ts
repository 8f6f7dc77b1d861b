// The data ports: plain and TLS, side by side. A socket passes the entrance first, then TLS where it is on, then node:http reads its request.
import { createServer, type Server } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo, Socket } from 'node:net';
import type { Certificates } from './certificates.ts';
import { Entrance } from './entrance.ts';
import { opened } from './opened.ts';
import { answer, httpOptions } from './server.ts';
import type { Services } from './services.ts';

/** A TLS handshake must be complete within this, in ms. */
const TLS_TIMEOUT_MS = 10_000;

/** Connections that wait to be accepted; of those that come beyond, the first packet is lost, and its sender tries again after 1 s. */
const BACKLOG = 4096;

/** Options of a listener. */
export interface ListenerOptions {
  readonly host: string;
  /** 0 takes a free one. */
  readonly port: number;
  /** TLS with these; default: plain. */
  readonly certificates?: Certificates | undefined;
  /** Shared with other listeners of the process; default: one that lets everybody in. */
  readonly entrance?: Entrance;
  /** For TLS and then for the request head; shorter in tests, in ms. */
  readonly headTimeoutMs?: number;
}

/** An open listener. */
export interface Listener {
  readonly host: string;
  readonly port: number;
  /** Stops to accept; connections that are open go on. */
  close(): Promise<void>;
}

/** What is known of a socket that was let in. */
interface Entered {
  readonly address: string;
  /** Where its request begins. */
  readonly headAt: number;
}

/** A socket that is gone already. */
const NOBODY: Entered = { address: '', headAt: 0 };

/** Opens a data port. Rejects when it cannot be opened (EADDRINUSE, EACCES). */
export async function listen(options: ListenerOptions, services: Services): Promise<Listener> {
  const { host, certificates, entrance = new Entrance(), headTimeoutMs } = options;
  const server = certificates ? tlsServer(certificates, headTimeoutMs) : createServer(httpOptions(headTimeoutMs));
  const entered = guard(server, entrance, certificates !== undefined, services);
  const proto = certificates ? 'https' : 'http';
  const arrivalOf = (socket: Socket, rawHeaders: readonly string[]) => {
    const { address, headAt } = entered.get(nameOf(socket)) ?? NOBODY;
    const peer = { address, trusted: entrance.isTrusted(address), proto } as const;
    return { socket, peer, clientAddress: entrance.clientAddress(peer, rawHeaders), headAt };
  };
  answer(server, arrivalOf, services);
  server.on('tlsClientError', (error: NodeJS.ErrnoException, socket: Socket) => {
    if (error.code !== 'ECONNRESET') services.observer.socketError('tls'); // who just leaves is a health check, as on the plain port
    socket.destroy();
  });
  await opened(server, { port: options.port, host, backlog: BACKLOG });
  return {
    host,
    port: (server.address() as AddressInfo).port,
    close: () => new Promise((resolve) => server.close(() => resolve())),
  };
}

function tlsServer(certificates: Certificates, headTimeoutMs = TLS_TIMEOUT_MS): Server {
  const server = createTlsServer({
    ...httpOptions(headTimeoutMs),
    ...certificates.default,
    // A name without a certificate of its own gets the default, as a client gets that asks for none.
    SNICallback: (name, done) => done(null, certificates.contextFor(name)),
    ALPNProtocols: ['http/1.1'],
    handshakeTimeout: headTimeoutMs,
  });
  certificates.onChange = (first) => server.setSecureContext(first);
  // Not before: while TLS begins, a client that ends has left. Afterwards it may end its direction and still read, as on a plain socket.
  server.prependListener('secureConnection', (socket) => {
    socket.allowHalfOpen = true;
    nameOf(socket); // read while it is sure to be there: a socket remembers
  });
  server.removeAllListeners('tlsClientError'); // node:https would have it answered over HTTP
  return server;
}

/**
 * Puts the entrance before what node:http or node:https does with a new socket.
 * @returns those that are in, by name: node:tls has no way from its socket to the one that was accepted
 */
function guard(server: Server, entrance: Entrance, tls: boolean, { observer }: Services): ReadonlyMap<string, Entered> {
  const entered = new Map<string, Entered>();
  const [enter] = server.listeners('connection');
  server.removeAllListeners('connection');
  server.on('connection', (socket) => {
    const name = nameOf(socket);
    const letIn = (address: string, skipped: number) => {
      entered.set(name, { address, headAt: tls ? 0 : skipped });
      socket.once('close', () => entered.delete(name));
      enter?.call(server, socket);
      if (!tls) socket.resume(); // TLS takes what was read already by itself, and then nothing may flow here
    };
    entrance.take(socket, letIn, (cause) => observer.socketError(cause));
  });
  return entered;
}

/** Both ends of a connection, which it shares with no other while it is open. */
function nameOf({ remoteAddress, remotePort, localAddress, localPort }: Socket): string {
  return `${remoteAddress} ${remotePort} ${localAddress} ${localPort}`;
}
