// One object a socket: it drives the lifecycle, owns the timers and the backend, and has one finish(). What is to be done is
// decided in core/ (lifecycle, closing, outcome); this file only does it, and asks after each await: is it still the same state?
import { backendHeaders } from '../core/headers.ts';
import { next, type State } from '../core/lifecycle.ts';
import { LIMITS, type Limit, limitText } from '../core/limit.ts';
import { timeoutOf } from '../core/meter.ts';
import { closeText, outcome, type Reason, reasonOfAnswer, reasonOfClose } from '../core/outcome.ts';
import { keyOf, type ServedFunction } from '../core/served.ts';
import { type Backend, type Cause, INIT_TIMEOUT } from '../runtime/runtime.ts';
import { CAUSE_MS, causeOfDrop } from './cause.ts';
import type { Deadline } from './clock.ts';
import { type Answered, dial, type Upgraded } from './dial.ts';
import { EarlyBytes } from './early.ts';
import type { Side } from './flow-parts.ts';
import type { ConnectionFacts, ConnectionRecord, ConnectionView } from './record.ts';
import { sendRefusal, upgradeText, violatedByRefusal } from './refusal.ts';
import type { Registered } from './registry.ts';
import { Relay } from './relay.ts';
import type { Services } from './services.ts';
import { type AcceptedUpgrade, factsOf } from './upgrade.ts';

/** The life of one connection, from its admission to its record. */
export class Connection implements Registered, Deadline {
  dueAt = 0;
  slot = -1;
  readonly id: string;
  readonly fn: ServedFunction;
  readonly #upgrade: Omit<AcceptedUpgrade, 'head'>;
  readonly #services: Services;
  readonly #startedAt = performance.now();
  readonly #early: EarlyBytes;
  /** Aborted when the start is over before the function has answered. */
  readonly #starting = new AbortController();
  #state: State = 'Provisioning';
  #reason: Reason = 'internal_error';
  #words: Omit<Cause, 'reason'> = { detail: '', lastWords: '' };
  #httpStatus = 0;
  #openedAt = 0;
  #timer: NodeJS.Timeout | undefined;
  #backend: Backend | undefined;
  #stopped = false;
  #relay: Relay | undefined;
  /** The function's own, that is not a 101. */
  #answer: Answered | undefined;
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
    this.#provision().catch((error: Error) => this.failed(error));
  }

  get opened(): boolean {
    return this.#openedAt > 0;
  }

  failed(error: Error): void {
    this.end('internal_error', error.stack ?? error.message);
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
    if (!started.ok) {
      const unused = started.reason === 'max_connections' && this.#upgrade.tookToken; // another proxy was quicker
      if (unused) this.#services.starts.giveBack(keyOf(this.fn));
      return this.#failedStart(started.reason, started.detail, started.lastWords);
    }
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
    const { address, rawHeaders, peer } = this.#upgrade;
    const headers = backendHeaders(rawHeaders, { fn: this.fn, requestId: this.id, peer });
    const dialledAt = performance.now();
    const answer = await dial({ target: address.path + address.query, headers }, started.backend.socket, this.#starting.signal);
    started.backend.stages.handshake = performance.now() - dialledAt;
    if (this.#state !== 'Dialing') {
      if (answer.kind === 'upgraded') answer.socket.destroy();
      return;
    }
    if (answer.kind === 'upgraded') return this.#open(answer);
    if (answer.kind === 'failed') return this.#failedStart(started.backend.noted() ?? 'handshake_failed', answer.detail);
    this.#answer = answer;
    this.end(reasonOfAnswer(answer.status));
  }

  /** A pod that was deleted may be one of a deleted function: that ends this connection itself, when it shows. */
  async #failedStart(reason: Reason, detail: string, lastWords?: string): Promise<void> {
    if (reason === 'pod_deleted') await this.#services.functions.gone(this.fn, CAUSE_MS);
    this.end(reason, detail, lastWords);
  }

  #initTimeout(): void {
    // While a backend is being made its runtime knows best what it was waiting for; it answers the abort with the reason.
    if (this.#state === 'Provisioning') this.#starting.abort(INIT_TIMEOUT);
    else this.end('handshake_timeout');
  }

  #open({ rawHeaders, socket }: Upgraded): void {
    this.#state = next(this.#state, 'opened');
    clearTimeout(this.#timer);
    this.#openedAt = performance.now();
    this.#services.registry.settled(this);
    this.#httpStatus = 101;
    const first = this.#early.take();
    this.#upgrade.socket.write(upgradeText(rawHeaders, this.id), 'latin1');
    this.#backend?.opened();
    const { clock, capacity, registry } = this.#services;
    const events = {
      closed: (from: Side, code: number) => this.end(reasonOfClose(from, code)),
      dropped: (from: Side) => this.#dropped(from),
      broke: (from: Side, how: string) => this.end(from === 'client' ? 'client_protocol_error' : 'function_protocol_error', how),
      exceeded: (limit: Limit) => this.#exceeded(limit),
      throttled: (limit: Limit) => this.#violated(limit, 'throttle'),
      failed: (error: Error) => this.failed(error),
      functionDone: () => this.#stopBackend(),
      gone: () => void this.#finish(),
    };
    const { maxFramesPerSecond } = capacity;
    const options = { spec: this.fn.spec, maxFramesPerSecond, clock, traffic: registry.traffic(this.fn), events };
    this.#relay = new Relay(this.#upgrade.socket, socket, options);
    const { id, function: key, backend, stages, handshakeMs = 0 } = this.#facts(this.#openedAt);
    this.#services.observer.opened({ id, function: key, backend, start: this.#backend?.start ?? 'cold', stages, handshakeMs });
    this.#relay.start(first);
    this.due(clock.now());
    void this.#backend?.vanished.then(() => this.#dropped('function'));
  }

  /** Looks at the timeouts of the open connection. */
  due(now: number): void {
    if (!this.#relay || this.#state !== 'Open') return;
    const { lastDataAt, throttled } = this.#relay;
    const over = timeoutOf({ openedAt: this.#openedAt, lastDataAt, throttled }, this.fn.spec, now);
    if (typeof over === 'number') this.#services.clock.set(this, over);
    else this.#exceeded(over);
  }

  #exceeded(limit: Limit): void {
    if (this.#state !== 'Open') return;
    this.#violated(limit, 'close');
    this.end(LIMITS[limit].reason, limitText(limit, this.fn.spec, this.#services.capacity.maxFramesPerSecond));
  }

  #violated(limit: Limit, action: 'close' | 'throttle'): void {
    this.#services.observer.violated({ function: keyOf(this.fn), limit, code: outcome(LIMITS[limit].reason).code, action });
  }

  #dropped(from: Side): void {
    if (from === 'client') return this.end('client_dropped');
    this.end(this.#backend?.noted() === 'pod_evicted' ? 'pod_evicted' : 'function_dropped');
  }

  /** The end of an open connection: our close frames where the table has them, 3 s for the peers, the cause of a drop. */
  #closeBoth(): void {
    this.#services.clock.delete(this);
    if (this.#reason === 'function_dropped' || this.#reason === 'pod_evicted') {
      this.#stopBackend(true);
      this.#cause = this.#backend && causeOfDrop(this.#backend, this.fn, this.#services.functions);
    }
    this.#relay?.close(outcome(this.#reason).close, closeText(this.#reason));
  }

  /** The end of a connection that never opened: an HTTP answer, unless the client has left. */
  #refuse(): void {
    this.#starting.abort();
    this.#early.take();
    this.#stopBackend();
    const { socket, rawHeaders } = this.#upgrade;
    const message = this.#reason === 'bad_handshake' ? this.#words.detail : outcome(this.#reason).cause;
    violatedByRefusal(this.#reason, this.fn, this.#services.observer);
    const refusal = { reason: this.#reason, id: this.id, message, fn: this.fn, rawHeaders, answer: this.#answer };
    void sendRefusal(socket, refusal).then((httpStatus) => {
      this.#httpStatus = httpStatus;
      return this.#finish();
    });
  }

  #stopBackend(dropped = false): void {
    this.#services.registry.release(this);
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
      const { reason, ...words } = await this.#cause;
      if (reason !== 'function_dropped') this.#reason = reason;
      this.#words = words;
    }
    this.#services.registry.remove(this);
    this.#services.observer.ended(this.#record(endedAt));
  }

  view(): ConnectionView {
    return { ...this.#facts(performance.now()), state: this.#state, throttled: this.#relay?.throttled ?? false };
  }

  #record(endedAt: number): ConnectionRecord {
    return {
      ...this.#facts(endedAt),
      ...this.#words,
      reason: this.#reason,
      httpStatus: this.#httpStatus,
      clientCloseCode: this.#relay?.state('client').said,
      functionCloseCode: this.#relay?.state('function').said,
    };
  }

  #facts(now: number): ConnectionFacts {
    return factsOf(this.#upgrade, this.#backend, this.#relay?.counts, { started: this.#startedAt, opened: this.#openedAt, now });
  }
}
