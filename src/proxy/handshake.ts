// A request that reached the data port: route it, judge it, admit it. Out comes a Connection or a refusal; both end in a record.
import { randomUUID } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import { withoutBearer, withoutToken } from '../core/access.ts';
import { admit, type Denied, notAccepted } from '../core/admission.ts';
import { outcome, type Reason } from '../core/outcome.ts';
import { type Address, addressOf, upgradeProblem, wantsWebSocket } from '../core/request.ts';
import { keyOf, type ServedFunction } from '../core/served.ts';
import { authorize, type Granted } from './access.ts';
import { Connection } from './connection.ts';
import { NOTHING_HAPPENED } from './record.ts';
import { sendRefusal, violatedByRefusal } from './refusal.ts';
import type { Services } from './services.ts';
import type { AcceptedUpgrade, Arrival } from './upgrade.ts';

/** The only path of the data port that is ours. */
export const HEALTH_PATH = '/.socketpod/health';

/** A request that will not become a connection. */
interface Refused {
  readonly reason: Reason;
  /** For the client. */
  readonly message: string;
  /** For the operator, where the client shall know less; default: the message. */
  readonly detail?: string;
  readonly status?: number | undefined;
  readonly fn?: ServedFunction | undefined;
  /** Of the request, when it could be read. */
  readonly rawHeaders?: readonly string[];
}

/** A request as it came. */
type Arrived = Omit<AcceptedUpgrade, 'fn' | 'address' | 'access' | 'tookToken'>;

/** A well-formed upgrade for a function that takes connections. */
interface Routed {
  readonly fn: ServedFunction;
  readonly address: Address;
}

/** Takes a request with its socket, which node:http has let go of. */
export function handshake(request: IncomingMessage, arrival: Arrival, head: Buffer, services: Services): void {
  const { socket } = arrival;
  socket.on('error', ignore); // first of all: from here on a reset must not be an uncaught error
  const receivedAt = performance.now();
  const { rawHeaders } = request;
  const arrived = { ...arrival, id: randomUUID(), rawHeaders, receivedAt, head };
  const routed = route(request, services);
  if ('reason' in routed) return void refuse(arrival, arrived.id, { ...routed, rawHeaders }, services);
  const access = authorize(routed.fn, rawHeaders, routed.address.query);
  if (!(access instanceof Promise)) return enter(arrived, routed, access, services);
  void access.then((late) => enter(arrived, routed, meanwhile(socket, routed.fn, services) ?? late, services));
}

/** The order of checks: host and path, route, upgrade, accepted; then come access, and the checks of admission. */
function route(request: IncomingMessage, services: Services): Routed | Refused {
  const { method = '', httpVersion, url: target = '', rawHeaders } = request;
  const raw = { method, httpVersion, target, rawHeaders };
  const address = addressOf(raw);
  if ('malformed' in address) return { reason: 'bad_handshake', message: address.malformed };
  const fn = services.functions.find(address.host, address.path);
  if (!fn) return { reason: 'route_not_found', message: outcome('route_not_found').cause };
  if (!wantsWebSocket(rawHeaders)) return { reason: 'not_websocket', message: 'this is a WebSocket address', fn };
  const problem = upgradeProblem(raw);
  if (problem) return { reason: 'bad_handshake', message: problem.malformed, status: problem.status, fn };
  const denied = notAccepted(fn);
  return denied ? { reason: denied.reason, message: denied.detail, fn } : { fn, address };
}

/** What ended a handshake while a signature was checked: nobody listens to its socket by then, and no registry knows of it. */
function meanwhile(socket: Socket, fn: ServedFunction, services: Services): Denied | undefined {
  if (socket.destroyed || socket.readableEnded) return { reason: 'client_left', detail: '' };
  return services.functions.has(fn) ? undefined : { reason: 'function_deleted', detail: '' };
}

/** The last checks, for a client that may or may not connect. From here on nothing knows the access token. */
function enter(arrived: Arrived, { fn, address }: Routed, access: Granted | Denied, services: Services): void {
  const { id, socket, rawHeaders } = arrived;
  const no = (refused: Omit<Refused, 'fn' | 'rawHeaders'>) => void refuse(arrived, id, { ...refused, fn, rawHeaders }, services);
  if ('reason' in access) return no({ ...access, message: outcome(access.reason).cause });
  const { registry, gate, capacity, runtime, starts, clock } = services;
  let tookToken = false;
  const denied = admit({
    fn,
    draining: !gate.open,
    pending: registry.pending(fn),
    maxPending: capacity.maxPending,
    connections: registry.count(fn),
    full: () => runtime.full?.(fn) ?? false,
    takeStart() {
      if (runtime.waiting?.(fn)) return true; // what waits is not started
      tookToken = starts.take(keyOf(fn), clock.now());
      return tookToken;
    },
  });
  if (denied) return no({ reason: denied.reason, message: denied.detail });
  socket.setNoDelay(true);
  const accepted = {
    ...arrived,
    fn,
    address: { ...address, query: withoutToken(address.query) },
    rawHeaders: fn.spec.auth ? withoutBearer(rawHeaders) : rawHeaders,
    access: access.access,
    tookToken,
  };
  new Connection(accepted, services).start();
}

/** Answers a request that does not become a connection, and records it once its socket is gone. */
export async function refuse({ socket, clientAddress }: Arrival, id: string, refused: Refused, services: Services): Promise<void> {
  const { reason, message, fn, detail = message } = refused;
  violatedByRefusal(reason, fn, services.observer);
  const httpStatus = await sendRefusal(socket, { id, ...refused });
  services.observer.ended({ ...NOTHING_HAPPENED, id, function: fn ? keyOf(fn) : '', reason, detail, httpStatus, clientAddress });
}

/** Stays on the socket for life: a function made in handshake() would keep the request, and the token, as long. */
function ignore(): void {}
