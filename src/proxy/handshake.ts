// A request that reached the data port: route it, judge it, admit it. Out comes a Connection or a refusal; both end in a record.
import { randomUUID } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { admit } from '../core/admission.ts';
import { outcome, type Reason } from '../core/outcome.ts';
import { type Address, addressOf, upgradeProblem, wantsWebSocket } from '../core/request.ts';
import { keyOf, type ServedFunction } from '../core/served.ts';
import { Connection } from './connection.ts';
import { NOTHING_HAPPENED } from './record.ts';
import { sendRefusal, violatedByRefusal } from './refusal.ts';
import type { Services } from './services.ts';
import type { Arrival } from './upgrade.ts';

/** The only path of the data port that is ours. */
export const HEALTH_PATH = '/.socketpod/health';

/** A request that will not become a connection. */
interface Refused {
  readonly reason: Reason;
  readonly message: string;
  readonly status?: number | undefined;
  readonly fn?: ServedFunction | undefined;
  /** Of the request, when it could be read. */
  readonly rawHeaders?: readonly string[];
}

interface Accepted {
  readonly fn: ServedFunction;
  readonly address: Address;
}

/** Takes a request with its socket, which node:http has let go of. */
export function handshake(request: IncomingMessage, arrival: Arrival, head: Buffer, services: Services): void {
  const { socket } = arrival;
  socket.on('error', () => {}); // first of all: from here on a reset must not be an uncaught error
  const receivedAt = performance.now();
  const verdict = judge(request, services);
  const { rawHeaders } = request;
  const id = randomUUID();
  if ('reason' in verdict) return void refuse(arrival, id, { ...verdict, rawHeaders }, services);
  socket.setNoDelay(true);
  new Connection({ id, ...verdict, ...arrival, rawHeaders, receivedAt, head }, services).start();
}

/** The order of checks: host and path, route, upgrade, then those of admission. */
function judge(request: IncomingMessage, services: Services): Accepted | Refused {
  const { method = '', httpVersion, url: target = '', rawHeaders } = request;
  const raw = { method, httpVersion, target, rawHeaders };
  const address = addressOf(raw);
  if ('malformed' in address) return { reason: 'bad_handshake', message: address.malformed };
  const fn = services.functions.find(address.host, address.path);
  if (!fn) return { reason: 'route_not_found', message: outcome('route_not_found').cause };
  if (!wantsWebSocket(rawHeaders)) return { reason: 'not_websocket', message: 'this is a WebSocket address', fn };
  const problem = upgradeProblem(raw);
  if (problem) return { reason: 'bad_handshake', message: problem.malformed, status: problem.status, fn };
  const { registry, gate, capacity, starts, clock } = services;
  const denied = admit({
    fn,
    draining: !gate.open,
    pending: registry.pending(fn),
    maxPending: capacity.maxPending,
    connections: registry.count(fn),
    takeStart: () => starts.take(keyOf(fn), clock.now()),
  });
  if (denied) return { reason: denied.reason, message: denied.detail, fn };
  return { fn, address };
}

/** Answers a request that does not become a connection, and records it once its socket is gone. */
export async function refuse({ socket, clientAddress }: Arrival, id: string, refused: Refused, services: Services): Promise<void> {
  const { reason, message, fn } = refused;
  violatedByRefusal(reason, fn, services.observer);
  const httpStatus = await sendRefusal(socket, { id, ...refused });
  services.observer.ended({ ...NOTHING_HAPPENED, id, function: fn ? keyOf(fn) : '', reason, detail: message, httpStatus, clientAddress });
}
