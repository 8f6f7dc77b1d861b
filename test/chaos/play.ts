// Plays a script on one end of a TCP connection and keeps what came from the other.
import type { Socket } from 'node:net';
import { END, FrameScanner, HEADER, OP_CLOSE } from '../../src/core/frame.ts';
import { closeFrame } from '../support/frames.ts';
import type { Step } from './behaviours.ts';

/** One end. It behaves properly where its script says nothing. */
export class Player {
  readonly socket: Socket;
  /** The head that came, and its bytes before it is whole. */
  head = '';
  /** The first close frame that came. */
  close: { readonly code: number; readonly text: string } | undefined;
  /** Resolves when the other side has sent its FIN or a reset. */
  readonly over: Promise<void>;
  readonly #client: boolean;
  readonly #scanner = new FrameScanner();
  readonly #headed: Promise<void>;
  #deaf = false;
  #stubborn = false;

  /** @param client it masks its frames */
  constructor(socket: Socket, client: boolean) {
    this.socket = socket;
    this.#client = client;
    let headed = () => {};
    this.#headed = new Promise((resolve) => {
      headed = resolve;
    });
    this.over = new Promise((resolve) => {
      socket.on('end', resolve).on('close', () => resolve());
    });
    void this.over.then(() => headed());
    socket.on('error', () => {}); // 'close' follows
    socket.on('end', () => this.#stubborn || socket.end());
    socket.on('data', (chunk: Buffer) => {
      if (this.#headIsWhole) return this.#frames(chunk);
      const all = Buffer.from(this.head + chunk.toString('latin1'), 'latin1');
      const end = all.indexOf('\r\n\r\n');
      this.head = all.subarray(0, end < 0 ? undefined : end + 4).toString('latin1');
      if (end < 0) return;
      headed();
      this.#frames(all.subarray(end + 4));
    });
  }

  /** Plays to the end, or until the socket takes no more. */
  async play(steps: readonly Step[]): Promise<void> {
    for (const step of steps) {
      if (this.socket.destroyed) return;
      if (step === 'head') await this.#headed;
      else if (typeof step === 'number')
        await new Promise((resolve) => setTimeout(resolve, step)); // a pause of the script
      else this.#take(step);
    }
  }

  get #headIsWhole(): boolean {
    return this.head.endsWith('\r\n\r\n');
  }

  #take(step: Exclude<Step, number | 'head'>): void {
    const { socket } = this;
    if (Buffer.isBuffer(step)) {
      if (socket.writable) socket.write(step);
    } else if (step === 'end') socket.end();
    else if (step === 'reset') socket.resetAndDestroy();
    else if (step === 'stall') socket.pause();
    else if (step === 'resume') socket.resume();
    else if (step === 'deaf') this.#deaf = true;
    else if (step === 'stubborn') this.#stubborn = true;
    else if (step === 'exit') process.exit(3);
    else process.kill(process.pid, 'SIGKILL');
  }

  #frames(chunk: Buffer): void {
    const scanner = this.#scanner;
    // What follows the head of a refusal is its body: no frames, and nobody asks.
    for (let at = 0; (at < chunk.length || scanner.owesEnd) && !this.close; ) {
      at = scanner.next(chunk, at);
      if (scanner.found !== END && scanner.found !== HEADER) return;
      if (scanner.found !== END || scanner.opcode !== OP_CLOSE) continue;
      const text = chunk.subarray(Math.max(0, at - scanner.length + 2), at);
      this.close = { code: scanner.closeCode, text: scanner.length > 2 ? text.toString('latin1') : '' };
      if (!this.#deaf && this.socket.writable) this.socket.write(closeFrame(scanner.closeCode, '', this.#client));
    }
  }
}
