// Bytes both ways between two sockets, with a frame scanner beside them. It passes what it is given, says what it saw, and can
// put a close frame between two frames. What an event means is for connection.ts to decide. Back-pressure is the sockets' own:
// a stalled reader costs at most one chunk and its socket's high-water mark.
import { randomFillSync } from 'node:crypto';
import type { Socket } from 'node:net';
import { answerCode, type ClosingStep, closingStep, freshSide, type SideState } from '../core/closing.ts';
import { BROKEN, END, encodeClose, FrameScanner, HEADER, OP_CLOSE, PARTIAL, PAYLOAD } from '../core/frame.ts';

/** The two sides of a connection. */
export type Side = 'client' | 'function';

/** What the relay reports. Called synchronously, in the order of the bytes. */
export interface RelayEvents {
  /** A whole close frame came from this side and was passed on, if the other side still listens. */
  closed(from: Side, code: number): void;
  /** This side ended (FIN or reset) without a close frame. */
  dropped(from: Side): void;
  /** This side broke the framing; nothing more is read from it. `how` is for the log. */
  broke(from: Side, how: string): void;
  /** Something changed that the closing rules look at. */
  changed(): void;
}

/** One direction: bytes from one socket to the other. */
class Flow {
  readonly scanner = new FrameScanner();
  readonly state: SideState = freshSide();
  /** Data messages begun and payload bytes of data frames seen in this direction. */
  messages = 0;
  payloadBytes = 0;
  readonly side: Side;
  readonly socket: Socket;
  constructor(side: Side, socket: Socket) {
    this.side = side;
    this.socket = socket;
  }
}

/** The relay of one open connection. It owns both sockets from its construction on. */
export class Relay {
  readonly #client: Flow;
  readonly #function: Flow;
  readonly #events: RelayEvents;

  constructor(client: Socket, fn: Socket, events: RelayEvents) {
    this.#client = new Flow('client', client);
    this.#function = new Flow('function', fn);
    this.#events = events;
  }

  /**
   * Starts to relay.
   * @param clientFirst bytes that the client sent before the 101
   */
  start(clientFirst: Buffer): void {
    this.#listen(this.#client, this.#function);
    this.#listen(this.#function, this.#client);
    if (clientFirst.length > 0) this.#read(this.#client, this.#function, clientFirst);
    this.#client.socket.resume();
    this.#function.socket.resume();
  }

  /** Data messages and payload bytes so far. */
  get counts(): { messagesUp: number; messagesDown: number; bytesUp: number; bytesDown: number } {
    return {
      messagesUp: this.#client.messages,
      messagesDown: this.#function.messages,
      bytesUp: this.#client.payloadBytes,
      bytesDown: this.#function.payloadBytes,
    };
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
  tell(side: Side, code: number, text: string): void {
    const { state, socket } = this.#flow(side);
    if (state.told || state.gone) return;
    state.told = true;
    if (this.#opposite(side).scanner.inFrame) {
      socket.destroy();
    } else {
      socket.write(encodeClose(code, text, side === 'function' ? randomFillSync(new Uint8Array(4)) : undefined));
    }
    this.#opposite(side).socket.resume(); // it may be held back for a reader that gets nothing more
    socket.resume();
  }

  /** Takes the next step of closing for both sides, until nothing is to be done before the next event. */
  advance(timeIsUp: boolean): void {
    for (const side of ['client', 'function'] as const) {
      let step: ClosingStep;
      do {
        step = closingStep(this.#flow(side).state, this.#opposite(side).state, timeIsUp);
        this.#take(side, step, timeIsUp);
      } while (step === 'answer' || step === 'end');
    }
  }

  #take(side: Side, step: ClosingStep, timeIsUp: boolean): void {
    const { state, socket } = this.#flow(side);
    if (step === 'answer') this.tell(side, answerCode(state.said ?? 1001), '');
    if (step === 'end') {
      state.ended = true;
      socket.end();
    }
    if (step === 'destroy') {
      // What is queued goes out first, but nobody may hold the socket beyond the time limit by not reading.
      if (timeIsUp || socket.writableLength === 0) socket.destroy();
      else socket.destroySoon();
    }
  }

  /** Gives both sockets up at once. */
  destroy(): void {
    this.#client.socket.destroy();
    this.#function.socket.destroy();
  }

  #flow(side: Side): Flow {
    return side === 'client' ? this.#client : this.#function;
  }

  #opposite(side: Side): Flow {
    return side === 'client' ? this.#function : this.#client;
  }

  #listen(from: Flow, to: Flow): void {
    const { socket } = from;
    socket.setNoDelay(true);
    socket.setKeepAlive(true, 30_000);
    socket.on('data', (chunk: Buffer) => this.#read(from, to, chunk));
    socket.on('drain', () => to.socket.resume());
    socket.on('end', () => this.#silent(from));
    socket.on('error', () => this.#silent(from));
    socket.on('close', () => {
      from.state.gone = true;
      to.socket.resume(); // it may be held back for this reader, who never drains now
      this.#silent(from);
      this.#events.changed();
    });
    if (socket.destroyed) {
      from.state.gone = true;
      this.#silent(from);
    }
  }

  #silent(from: Flow): void {
    if (from.state.silent) return;
    from.state.silent = true;
    if (from.state.said === undefined) this.#events.dropped(from.side);
    this.#events.changed();
  }

  /** Walks over one chunk and passes the part that goes on: all of it, but for a cut header, and what follows a close frame. */
  #read(from: Flow, to: Flow, chunk: Buffer): void {
    const { scanner, state } = from;
    if (state.said !== undefined || scanner.broken !== '') return;
    let at = 0;
    let passFrom = 0;
    while (at < chunk.length || scanner.owesEnd) {
      const before = at;
      at = scanner.next(chunk, at);
      // What has come, not what a header announces: that may be 2^53.
      if (scanner.isData && (scanner.found === PAYLOAD || scanner.found === END)) from.payloadBytes += at - before;
      if (scanner.found === HEADER) {
        if (scanner.headerStart < 0) {
          // The header began in the last chunk, where it was held back: it goes out whole, then the rest of this chunk.
          this.#pass(to, Buffer.from(scanner.header.subarray(0, scanner.headerSize)));
          passFrom = at;
        }
        if (scanner.isData && scanner.begins) from.messages++;
      } else if (scanner.found === END && scanner.opcode === OP_CLOSE) {
        this.#pass(to, chunk.subarray(passFrom, at));
        this.#closeFrame(from, to);
        return;
      } else if (scanner.found === PARTIAL || scanner.found === BROKEN) {
        const end = scanner.headerStart >= 0 ? scanner.headerStart : before;
        if (end > passFrom) this.#pass(to, chunk.subarray(passFrom, end));
        if (scanner.found === BROKEN) this.#broken(from);
        return;
      }
    }
    if (at > passFrom) this.#pass(to, passFrom === 0 ? chunk : chunk.subarray(passFrom));
  }

  #closeFrame(from: Flow, to: Flow): void {
    from.state.said = from.scanner.closeCode;
    to.state.told = true;
    this.#events.closed(from.side, from.scanner.closeCode);
    this.#events.changed();
  }

  #broken(from: Flow): void {
    this.#events.broke(from.side, from.scanner.broken);
    this.#events.changed();
  }

  #pass(to: Flow, bytes: Buffer): void {
    if (to.state.told || to.state.gone || to.socket.destroyed || bytes.length === 0) return;
    if (!to.socket.write(bytes)) this.#opposite(to.side).socket.pause();
  }
}
