// The relay of one open connection: two directions, and the close frames of ours between two frames of them. What an event means is
// for connection.ts to decide. Back-pressure is the sockets' own: a stalled reader costs at most one chunk and its socket's
// high-water mark.
import { randomFillSync } from 'node:crypto';
import type { Socket } from 'node:net';
import { answerCode, backendDone, CLOSING_MS, type ClosingStep, closingStep, type SideState } from '../core/closing.ts';
import { encodeClose } from '../core/frame.ts';
import { MessageSize, RateMeter, type RateSpec } from '../core/meter.ts';
import type { Outcome } from '../core/outcome.ts';
import type { Clock } from './clock.ts';
import { Flow } from './flow.ts';
import type { FlowEvents, Side } from './flow-parts.ts';
import type { Count, Traffic } from './traffic.ts';

/** What a relay reports. */
export interface RelayEvents extends Omit<FlowEvents, 'changed'> {
  /** While closing, once or more: nothing more is expected of the function. */
  functionDone(): void;
  /** While closing, once or more: both sockets are gone. */
  gone(): void;
}

/** What a relay needs beside its sockets. */
export interface RelayParts {
  readonly spec: RateSpec;
  readonly maxFramesPerSecond: number;
  readonly clock: Clock;
  /** The totals of the function. */
  readonly traffic: Traffic;
  readonly events: RelayEvents;
}

/** It owns both sockets from its construction on. */
export class Relay {
  readonly #client: Flow;
  readonly #function: Flow;
  readonly #events: RelayEvents;
  #closing = false;
  #timeIsUp = false;
  #timer: NodeJS.Timeout | undefined;

  constructor(client: Socket, fn: Socket, { spec, maxFramesPerSecond, clock, traffic, ...parts }: RelayParts) {
    this.#events = parts.events;
    const events: FlowEvents = { ...parts.events, changed: () => this.#changed() };
    const size = () => new MessageSize(spec.maxMessageBytes);
    const rates = new RateMeter(spec, maxFramesPerSecond, clock.now());
    this.#client = new Flow({ side: 'client', socket: client, size: size(), rates, traffic, total: traffic.up, clock, events });
    this.#function = new Flow({
      side: 'function',
      socket: fn,
      size: size(),
      rates: undefined,
      traffic,
      total: traffic.down,
      clock,
      events,
    });
    this.#client.other = this.#function;
    this.#function.other = this.#client;
    listen(this.#client, this.#function);
    listen(this.#function, this.#client);
  }

  /**
   * Starts to relay.
   * @param clientFirst bytes that the client sent before the 101
   */
  start(clientFirst: Buffer): void {
    if (clientFirst.length > 0) this.#client.read(clientFirst);
    this.#client.resume();
    this.#function.resume();
  }

  /** Data messages and payload bytes so far. */
  get counts(): { readonly up: Count; readonly down: Count } {
    return { up: this.#client.count, down: this.#function.count };
  }

  /** When a byte of a data frame passed last, by the clock. */
  get lastDataAt(): number {
    return Math.max(this.#client.lastDataAt, this.#function.lastDataAt);
  }

  /** Is the client held back for a rate? */
  get throttled(): boolean {
    return this.#client.throttled;
  }

  /**
   * Begins to close: our close frames where the table has them, and at most 3 s for what the peers still have to say. What the client
   * sent before goes on at once, its rates hold no more.
   */
  close(frames: Outcome['close'], text: string): void {
    this.#closing = true;
    this.#client.unrate();
    if (typeof frames?.client === 'number') this.#tell('client', frames.client, text);
    if (typeof frames?.function === 'number') this.#tell('function', frames.function, text);
    this.#timer = setTimeout(() => {
      this.#timeIsUp = true;
      this.#changed();
    }, CLOSING_MS);
    this.#changed();
  }

  /** Called after whatever changed. */
  #changed(): void {
    if (!this.#closing) return;
    this.#advance();
    if (backendDone(this.#function.state, this.#timeIsUp)) this.#events.functionDone();
    if (!this.#client.state.gone || !this.#function.state.gone) return;
    clearTimeout(this.#timer);
    this.#events.gone();
  }

  /** What is known of a side. */
  state(side: Side): Readonly<SideState> {
    return this.#flow(side).state;
  }

  /**
   * Sends a close frame of ours to a side, if none went there yet. In the middle of a frame the socket is destroyed instead
   * (contract part 2). From now on nothing else goes to that side, and what it sends is read and discarded, as an unread
   * byte would make the kernel answer with a reset that destroys the close frame on its way.
   */
  #tell(side: Side, code: number, text: string): void {
    const { state, socket } = this.#flow(side);
    if (state.told || state.gone) return;
    state.told = true;
    if (this.#opposite(side).midFrame) {
      socket.destroy();
    } else {
      socket.write(encodeClose(code, text, side === 'function' ? randomFillSync(new Uint8Array(4)) : undefined));
    }
    this.#opposite(side).socket.resume(); // it may be held back for a reader that gets nothing more
    socket.resume();
  }

  /** Takes the next step of closing for both sides, until nothing is to be done before the next event. */
  #advance(): void {
    for (const side of ['client', 'function'] as const) {
      let step: ClosingStep;
      do {
        step = closingStep(this.#flow(side).state, this.#opposite(side).state, this.#timeIsUp);
        this.#take(side, step);
      } while (step === 'answer' || step === 'end');
    }
  }

  #take(side: Side, step: ClosingStep): void {
    const { state, socket } = this.#flow(side);
    if (step === 'answer') this.#tell(side, answerCode(state.said ?? 1001), '');
    if (step === 'end') {
      state.ended = true;
      socket.end();
    }
    if (step === 'destroy') {
      // What is queued goes out first, but nobody may hold the socket beyond the time limit by not reading.
      if (this.#timeIsUp || socket.writableLength === 0) socket.destroy();
      else socket.destroySoon();
    }
  }

  #flow(side: Side): Flow {
    return side === 'client' ? this.#client : this.#function;
  }

  #opposite(side: Side): Flow {
    return side === 'client' ? this.#function : this.#client;
  }
}

function listen(from: Flow, to: Flow): void {
  const { socket } = from;
  socket.setNoDelay(true);
  socket.setKeepAlive(true, 30_000);
  socket.on('data', (chunk: Buffer) => {
    try {
      from.read(chunk);
    } catch (error) {
      from.failed(error as Error);
    }
  });
  socket.on('drain', () => to.drained());
  socket.on('end', () => from.silent());
  socket.on('error', () => from.silent());
  socket.on('close', () => from.gone());
  if (socket.destroyed) from.gone();
}
