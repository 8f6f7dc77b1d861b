// One object a socket: it drives the lifecycle, owns the timers and the backend, and has one finish(). What is to be done is
// decided in core/ (lifecycle, closing, outcome); this file only does it, and asks after each await: is it still the same state?
import type { Socket } from 'node:net';
import { backendDone } from '../core/closing.ts';
import { backendHeaders, withoutToken } from '../core/headers.ts';
import { next, type State } from '../core/lifecycle.ts';
import { closeText, outcome, type Reason, reasonOfAnswer, reasonOfClose } from '../core/outcome.ts';
import type { Address } from '../core/request.ts';
import { keyOf, type ServedFunction } from '../core/served.ts';
import type { Backend, Cause, Runtime } from '../runtime/runtime.ts';
import { type Answered, dial, type Upgraded } from './dial.ts';
import { EarlyBytes } from './early.ts';
import type { Functions } from './functions.ts';
import { type ConnectionRecord, NOTHING_HAPPENED, type Observer } from './record.ts';
import { answerBytes, refusalText, sendAndClose, upgradeText } from './refusal.ts';
import type { Registered, Registry } from './registry.ts';
import { Relay, type Side } from './relay.ts';

/** Closing takes at most this, everywhere (contract part 2), in ms. */
const CLOSING_MS = 3000;
/** How long the recorded reason of a drop waits for its cause (contract part 2), in ms. */
const CAUSE_MS = 2000;

/** What all connections of a proxy share. */
export interface Services {
  readonly runtime: Runtime;
  readonly registry: Registry;
  readonly functions: Functions;
  readonly observer: Observer;
}

/** An upgrade request that was found well-formed, routed and admitted. */
export interface AcceptedUpgrade {
  readonly id: string;
  readonly fn: ServedFunction;
  readonly address: Address;
  readonly rawHeaders: readonly string[];
  readonly clientAddress: string;
  readonly socket: Socket;
  /** Bytes that came with the request's head. */
  readonly head: Buffer;
}

/** The life of one connection, from its admission to its record. */
export class Connection implements Registered {
  readonly id: string;
  readonly fn: ServedFunction;
  readonly #upgrade: Omit<AcceptedUpgrade, 'head'>;
  readonly #services: Services;
  readonly #acceptedAt = performance.now();
  readonly #early: EarlyBytes;
  /** Aborted when the start is over before the function has answered. */
  readonly #starting = new AbortController();
  #state: State = 'Provisioning';
  #reason: Reason = 'internal_error';
  #words: Omit<Cause, 'reason'> = { detail: '', lastWords: '' };
  #httpStatus = 0;
  #openedAt = 0;
  #timer: NodeJS.Timeout | undefined;
  #timeIsUp = false;
  #backend: Backend | undefined;
  #stopped = false;
  #relay: Relay | undefined;
  #cause: Promise<Cause> | undefined;

  constructor({ head, ...upgrade }: AcceptedUpgrade, services: Services) {
    this.id = upgrade.id;
    this.fn = upgrade.fn;
    this.#upgrade = upgrade;
    this.#services = services;
    this.#early = new EarlyBytes(upgrade.socket, head, {
      left: () => this.end('client_left'),
      tooMany: () => this.end('bad_handshake', 'over 64 KiB were sent before the function answered'),
    });
  }

  /** Starts the backend and goes on from there. A fault of the program ends the connection, not the process. */
  start(): void {
    this.#services.registry.add(this);
    this.#timer = setTimeout(() => this.#initTimeout(), this.fn.spec.initTimeoutSeconds * 1000);
    this.#provision().catch((error: Error) => this.end('internal_error', error.stack ?? error.message));
  }

  /** Ends the connection for this reason; the first reason wins. */
  end(reason: Reason, detail = '', lastWords = ''): void {
    if (this.#state === 'Closing' || this.#state === 'Closed') return;
    const wasOpen = this.#state === 'Open';
    this.#state = next(this.#state, 'ended');
    this.#reason = reason;
    this.#words = { detail, lastWords };
    clearTimeout(this.#timer);
    if (wasOpen) this.#closeBoth();
    else this.#refuse();
  }

  async #provision(): Promise<void> {
    const started = await this.#services.runtime.start({ fn: this.fn, connectionId: this.id, signal: this.#starting.signal });
    if (!started.ok) return this.end(started.reason, started.detail, started.lastWords);
    this.#backend = started.backend;
    if (this.#state !== 'Provisioning') {
      started.backend.socket.destroy();
      return this.#stopBackend();
    }
    this.#state = next(this.#state, 'started');
    // The port opened in the moment in which the start was given up: the function had no time to answer.
    if (this.#starting.signal.aborted) {
      started.backend.socket.destroy();
      return this.end('handshake_timeout');
    }
    const { address, rawHeaders, clientAddress } = this.#upgrade;
    const headers = backendHeaders(rawHeaders, { fn: this.fn, requestId: this.id, clientAddress, proto: 'http', trusted: false });
    const target = address.path + withoutToken(address.query);
    const answer = await dial({ target, headers }, started.backend.socket, this.#starting.signal);
    if (this.#state !== 'Dialing') {
      if (answer.kind === 'upgraded') answer.socket.destroy();
      return;
    }
    if (answer.kind === 'upgraded') return this.#open(answer);
    if (answer.kind === 'answered') return this.#passAnswer(answer);
    this.end(started.backend.noted() ?? 'handshake_failed', answer.detail);
  }

  #initTimeout(): void {
    // While a backend is being made its runtime knows best what it was waiting for; it answers the abort with the reason.
    if (this.#state === 'Provisioning') this.#starting.abort();
    else this.end('handshake_timeout');
  }

  #open({ rawHeaders, socket }: Upgraded): void {
    this.#state = next(this.#state, 'opened');
    clearTimeout(this.#timer);
    this.#openedAt = performance.now();
    this.#httpStatus = 101;
    const first = this.#early.take();
    this.#upgrade.socket.write(upgradeText(rawHeaders, this.id), 'latin1');
    this.#services.observer.opened({
      id: this.id,
      function: keyOf(this.fn),
      backend: this.#backend?.name ?? '',
      handshakeMs: this.#openedAt - this.#acceptedAt,
    });
    this.#relay = new Relay(this.#upgrade.socket, socket, {
      closed: (from, code) => this.end(reasonOfClose(from, code)),
      dropped: (from) => this.#dropped(from),
      broke: (from, how) => this.end(from === 'client' ? 'client_protocol_error' : 'function_protocol_error', how),
      changed: () => this.#advance(),
    });
    this.#relay.start(first);
    void this.#backend?.vanished.then(() => this.#dropped('function'));
  }

  #dropped(from: Side): void {
    if (from === 'client') return this.end('client_dropped');
    this.end(this.#backend?.noted() === 'pod_evicted' ? 'pod_evicted' : 'function_dropped');
  }

  /** The end of an open connection: our close frames where the table has them, 3 s for the peers, the cause of a drop. */
  #closeBoth(): void {
    const relay = this.#relay;
    if (!relay) return;
    const { close } = outcome(this.#reason);
    const text = closeText(this.#reason);
    if (typeof close?.client === 'number') relay.tell('client', close.client, text);
    if (typeof close?.function === 'number') relay.tell('function', close.function, text);
    if (this.#reason === 'function_dropped' || this.#reason === 'pod_evicted') {
      this.#stopBackend(true);
      this.#cause = this.#backend?.cause(CAUSE_MS);
    }
    this.#timer = setTimeout(() => {
      this.#timeIsUp = true;
      this.#advance();
    }, CLOSING_MS);
    this.#advance();
  }

  /** Called after whatever changed while closing. */
  #advance(): void {
    const relay = this.#relay;
    if (!relay || this.#state !== 'Closing') return;
    relay.advance(this.#timeIsUp);
    if (backendDone(relay.state('function'), this.#timeIsUp)) this.#stopBackend();
    if (relay.state('client').gone && relay.state('function').gone) void this.#finish();
  }

  /** The end of a connection that never opened: an HTTP answer, unless the client has left. */
  #refuse(): void {
    this.#starting.abort();
    this.#early.take();
    this.#stopBackend();
    const { socket } = this.#upgrade;
    if (this.#reason === 'client_left') {
      socket.destroy();
      void this.#finish();
      return;
    }
    this.#httpStatus = outcome(this.#reason).refusal?.status ?? 503;
    const message = this.#reason === 'bad_handshake' ? this.#words.detail : outcome(this.#reason).cause;
    const text = refusalText({ reason: this.#reason, id: this.id, message });
    void sendAndClose(socket, text).then(() => this.#finish());
  }

  #passAnswer(answer: Answered): void {
    this.#state = next(this.#state, 'ended');
    this.#reason = reasonOfAnswer(answer.status);
    this.#httpStatus = answer.status;
    clearTimeout(this.#timer);
    this.#early.take();
    this.#stopBackend();
    void sendAndClose(this.#upgrade.socket, answerBytes(answer, this.#reason, this.id)).then(() => this.#finish());
  }

  #stopBackend(dropped = false): void {
    if (this.#stopped || !this.#backend) return;
    this.#stopped = true;
    this.#backend.stop(dropped);
  }

  /** The only place where a connection comes to its end. */
  async #finish(): Promise<void> {
    if (this.#state === 'Closed') return;
    this.#state = next(this.#state, 'finished');
    clearTimeout(this.#timer);
    this.#stopBackend();
    const endedAt = performance.now();
    if (this.#cause) {
      const cause = await this.#cause;
      if (!this.#services.functions.has(this.fn)) this.#reason = 'function_deleted';
      else if (cause.reason !== 'function_dropped') this.#reason = cause.reason;
      this.#words = cause;
    }
    this.#services.registry.remove(this);
    this.#services.observer.ended(this.#record(endedAt));
  }

  #record(endedAt: number): ConnectionRecord {
    const { name: backend = '', node = '', start = '', stages = {} } = this.#backend ?? {};
    const opened = this.#relay && {
      ...this.#relay.counts,
      clientCloseCode: this.#relay.state('client').said,
      functionCloseCode: this.#relay.state('function').said,
      handshakeMs: this.#openedAt - this.#acceptedAt,
      openMs: endedAt - this.#openedAt,
    };
    const { clientAddress } = this.#upgrade;
    const own = { id: this.id, function: keyOf(this.fn), functionUid: this.fn.uid, httpStatus: this.#httpStatus };
    const why = { ...this.#words, reason: this.#reason };
    return { ...NOTHING_HAPPENED, ...own, ...why, clientAddress, backend, node, start, stages, ...opened };
  }
}
