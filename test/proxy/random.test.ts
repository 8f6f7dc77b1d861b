// Whatever both sides do, in whatever order: every connection ends and is recorded once, nothing is left, and each side got what the
// other one sent, up to some point, and then at most one close frame of ours at the end of a frame.
import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';
import { expect, it } from 'vitest';
import { END, FrameScanner, HEADER } from '../../src/core/frame.ts';
import { attachRuntime } from '../../src/runtime/attach.ts';
import { closeFrame, frame, randomBy } from '../support/frames.ts';
import { listenAnywhere, until } from '../support/ports.ts';
import { served, startProxy } from '../support/proxy.ts';
import { SWITCHING, upgradeHead } from '../support/raw-client.ts';

const CONNECTIONS = 150;
/** Of the platform: the codes that it sends, and text that begins with a function code; or the answer to a close of that side. */
const OURS = [1001, 1002, 1011];

/** One side of a connection, which does a few things at random and then ends in some way, or just stays. */
class Peer {
  readonly sent: Buffer[] = [];
  received = Buffer.alloc(0);
  closeCode: number | undefined;
  closed = false;
  readonly #random: () => number;
  readonly #mask: boolean;
  socket: Socket | undefined;

  constructor(random: () => number, mask: boolean) {
    this.#random = random;
    this.#mask = mask;
  }

  attach(socket: Socket): void {
    this.socket = socket;
    socket.on('data', (chunk: Buffer) => {
      this.received = Buffer.concat([this.received, chunk]);
    });
    socket.on('error', () => {});
    socket.on('end', () => this.#random() < 0.7 && socket.end());
    socket.on('close', () => {
      this.closed = true;
    });
  }

  async live(): Promise<void> {
    for (let turn = 0; turn < 12 && this.socket?.writable; turn++) {
      this.#act(this.socket);
      for (let i = this.#random() * 20; i > 0; i--) await new Promise((resolve) => setImmediate(resolve));
    }
  }

  #act(socket: Socket): void {
    const dice = this.#random();
    if (dice < 0.35) this.#send(socket, frame({ opcode: 2, payload: Buffer.alloc(this.#random() * 300, 5), mask: this.#mask }));
    else if (dice < 0.5) this.#send(socket, frame({ opcode: 2, payload: Buffer.alloc(this.#random() * 400_000, 6), mask: this.#mask }));
    else if (dice < 0.6) this.#send(socket, frame({ opcode: 9, payload: 'ping', mask: this.#mask }));
    else if (dice < 0.66) this.#send(socket, frame({ opcode: 2, payload: Buffer.alloc(1000), mask: this.#mask }), this.#random() * 900);
    else if (dice < 0.7) this.#send(socket, frame({ opcode: 0, payload: 'broken', mask: this.#mask }));
    else if (dice < 0.78) this.#close(socket, [1000, 1001, 1011, 4000, 999][Math.floor(this.#random() * 5)] ?? 1000);
    else if (dice < 0.82) socket.end();
    else if (dice < 0.86) socket.resetAndDestroy();
    else if (dice < 0.9) socket.pause();
    else if (dice < 0.95) socket.resume();
  }

  #close(socket: Socket, code: number): void {
    this.closeCode ??= code;
    this.#send(socket, closeFrame(code, 'by a peer', this.#mask));
  }

  /** Sends the frame, or its beginning: then what follows is its payload, whatever it looks like here. */
  #send(socket: Socket, bytes: Buffer, cut = bytes.length): void {
    const part = bytes.subarray(0, cut);
    socket.write(part);
    this.sent.push(part);
  }
}

/** Where frames end in a whole stream, up to where it breaks the framing. */
function boundaries(all: Buffer): number[] {
  const scanner = new FrameScanner();
  const ends = [0];
  for (let at = 0; at < all.length || scanner.owesEnd; ) {
    at = scanner.next(all, at);
    if (scanner.found === END) ends.push(at);
    if (scanner.found !== END && scanner.found !== HEADER) break;
  }
  return ends;
}

/** What is wrong with what one side received of the other; undefined when nothing is. */
function fault(to: Peer, from: Peer): string | undefined {
  const all = Buffer.concat(from.sent);
  const got = to.received;
  if (got.equals(all.subarray(0, got.length))) return undefined;
  const fits = boundaries(all).some(
    (at) => at <= got.length && got.subarray(0, at).equals(all.subarray(0, at)) && isOurs(got.subarray(at), to),
  );
  return fits ? undefined : `${got.length} bytes that are neither of ${all.length} nor followed by a close frame of ours`;
}

/** A whole close frame and nothing else. */
function isOurs(bytes: Buffer, to: Peer): boolean {
  const masked = ((bytes[1] ?? 0) & 0x80) !== 0;
  const length = (bytes[1] ?? 0) & 0x7f;
  const start = masked ? 6 : 2;
  if (bytes[0] !== 0x88 || bytes.length !== start + length) return false;
  const code = Buffer.from(bytes.subarray(start).map((byte, i) => (masked ? byte ^ (bytes[2 + (i & 3)] ?? 0) : byte))).readUInt16BE(0);
  return OURS.includes(code) || code === to.closeCode;
}

it('leaves nothing and passes nothing wrong, whatever both sides do', async () => {
  const seed = Math.floor(Math.random() * 2 ** 32);
  console.log(`random.test.ts: seed ${seed}`);
  const waiting: ((socket: Socket) => void)[] = [];
  const functions: Socket[] = [];
  const server = createServer({ allowHalfOpen: true, noDelay: true }, (socket) => {
    functions.push(socket.on('error', () => {}));
    waiting.shift()?.(socket);
  });
  const proxy = await startProxy(attachRuntime('127.0.0.1', await listenAnywhere(server)), [served('echo', { maxConnections: 1000 })]);
  const pairs: [Peer, Peer][] = [];
  for (let i = 0; i < CONNECTIONS; i++) {
    const [client, fn] = [new Peer(randomBy(seed + 2 * i), true), new Peer(randomBy(seed + 2 * i + 1), false)];
    pairs.push([client, fn]);
    const dialed = new Promise<Socket>((resolve) => waiting.push(resolve));
    const socket = connect({ port: proxy.port, host: '127.0.0.1', allowHalfOpen: true, noDelay: true });
    await once(socket, 'connect');
    socket.write(upgradeHead());
    const backend = await dialed;
    await once(backend, 'data');
    backend.write(SWITCHING);
    await once(socket, 'readable');
    const head = String(socket.read());
    socket.unshift(Buffer.from(head.slice(head.indexOf('\r\n\r\n') + 4), 'latin1'));
    client.attach(socket);
    fn.attach(backend);
    void client.live();
    void fn.live();
  }
  // Those who are left alone with each other now go too.
  await Promise.race([proxy.ended(CONNECTIONS), new Promise((resolve) => setTimeout(resolve, 5000))]); // long after all have had their turns
  for (const [client] of pairs) client.socket?.destroy();
  const records = await proxy.ended(CONNECTIONS);
  await proxy.stop();
  expect(records).toHaveLength(CONNECTIONS);
  expect(records.filter(({ reason, detail }) => reason === 'internal_error' || detail.includes('Error'))).toEqual([]);
  for (const socket of functions) socket.resume();
  await until('every socket of a function was ended or reset', () => functions.every((socket) => socket.readableEnded || socket.destroyed));
  const faults = pairs.flatMap(([client, fn], i) =>
    [fault(client, fn), fault(fn, client)].filter((found) => found !== undefined).map((found) => `${i}: ${found}`),
  );
  expect(faults, `seed ${seed}`).toEqual([]);
  for (const socket of functions) socket.destroy();
  await new Promise((resolve) => server.close(resolve));
});
