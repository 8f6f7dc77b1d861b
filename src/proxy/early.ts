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

/** Reads the client's socket from the upgrade request until the function has answered. */
export class EarlyBytes {
  readonly #socket: Socket;
  readonly #chunks: Buffer[] = [];
  #bytes = 0;
  readonly #data: (chunk: Buffer) => void;
  readonly #left: () => void;

  constructor(socket: Socket, head: Buffer, events: EarlyEvents) {
    this.#socket = socket;
    this.#data = (chunk) => {
      this.#chunks.push(chunk);
      this.#bytes += chunk.length;
      if (this.#bytes > MAX_EARLY) events.tooMany();
    };
    this.#left = () => events.left();
    if (head.length > 0) {
      this.#chunks.push(head);
      this.#bytes = head.length;
    }
    socket.on('data', this.#data).on('end', this.#left).on('close', this.#left).on('error', this.#left);
    socket.resume();
  }

  /** Stops listening and hands out what came, in one piece. The socket is paused; an error listener stays. */
  take(): Buffer {
    this.#socket.pause();
    this.#socket.off('data', this.#data).off('end', this.#left).off('close', this.#left);
    this.#socket.off('error', this.#left).on('error', ignore);
    const chunks = this.#chunks.splice(0); // not kept: this object lives as long as its connection
    return chunks.length === 1 && chunks[0] ? chunks[0] : Buffer.concat(chunks);
  }
}

/** An error is followed by 'close', which is what everybody here listens to. */
function ignore(): void {}
