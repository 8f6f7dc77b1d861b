// The client's socket while its handshake is held: what it sends before the 101 is kept, up to a bound, and its leaving is heard.
import type { Socket } from 'node:net';

/** Bytes that a client may send before the 101 (contract part 3). */
const MAX_EARLY = 65_536;

/** Both are called at most once. */
export interface EarlyEvents {
  /** The client ended or dropped its connection. */
  left(): void;
  /** The client sent more than is kept. */
  tooMany(): void;
}

/** The first room for them: most clients send nothing, or one message. */
const FIRST_ROOM = 1024;

/** Reads the client's socket from the upgrade request until the function has answered. */
export class EarlyBytes {
  readonly #socket: Socket;
  /** What came, in one piece that grows: a chunk for each byte that comes alone would take a hundred times as much. */
  #kept = Buffer.alloc(0);
  #bytes = 0;
  readonly #data: (chunk: Buffer) => void;
  readonly #left: () => void;

  constructor(socket: Socket, head: Buffer, events: EarlyEvents) {
    this.#socket = socket;
    this.#data = (chunk) => {
      if (this.#bytes + chunk.length > MAX_EARLY) events.tooMany();
      else this.#keep(chunk);
    };
    this.#left = () => events.left();
    this.#keep(head);
    socket.on('data', this.#data).on('end', this.#left).on('close', this.#left).on('error', this.#left);
    socket.resume();
  }

  /** Stops listening and hands out what came, in one piece. The socket is paused; an error listener stays. */
  take(): Buffer {
    this.#socket.pause();
    this.#socket.off('data', this.#data).off('end', this.#left).off('close', this.#left);
    this.#socket.off('error', this.#left).on('error', ignore);
    const taken = this.#kept.subarray(0, this.#bytes);
    this.#kept = Buffer.alloc(0); // this object lives as long as its connection
    this.#bytes = 0;
    return taken;
  }

  #keep(chunk: Buffer): void {
    const bytes = this.#bytes + chunk.length;
    if (bytes > this.#kept.length) {
      const room = Buffer.allocUnsafeSlow(Math.max(bytes, Math.min(MAX_EARLY, Math.max(FIRST_ROOM, 2 * bytes))));
      this.#kept.copy(room, 0, 0, this.#bytes);
      this.#kept = room;
    }
    chunk.copy(this.#kept, this.#bytes);
    this.#bytes = bytes;
  }
}

/** An error is followed by 'close', which is what everybody here listens to. */
function ignore(): void {}
