// What scanning and metering cost a frame, in this process and without sockets: the scanner alone, the meter alone, and both as the
// relay runs them. `node test/bench/frames.ts` prints the table.
import { Socket } from 'node:net';
import { FrameScanner } from '../../src/core/frame.ts';
import { MessageSize, RateMeter } from '../../src/core/meter.ts';
import { Clock } from '../../src/proxy/clock.ts';
import { Flow } from '../../src/proxy/flow.ts';
import type { Side } from '../../src/proxy/flow-parts.ts';
import { noTraffic } from '../../src/proxy/traffic.ts';
import { frame } from '../support/frames.ts';
import { spec } from '../support/proxy.ts';
import { median, printTable, size } from './figures.ts';

/** What Node reads from a socket at a time. */
const READ = 65_536;
const RUNS = 5;
const RUN_MS = 80;
const WARM_UP_MS = 200;
/** Between two looks at the time, which cost a microsecond. */
const FRAMES_A_LOOK = 10_000;

/** The sizes of messages that the benchmarks look at. */
export const SIZES = [16, 1024, 16_384, 262_144];

/** One read. */
interface Chunk {
  readonly bytes: Buffer;
  /** Frames that begin in it. */
  readonly frames: number;
  /** Payload of each of them in it, or of the one that goes on. */
  readonly payload: number;
}

/** Nanoseconds per frame. */
export interface FrameCost {
  readonly bytes: number;
  readonly reads: string;
  readonly scanner: number;
  readonly meter: number;
  /** Scanner and meter as the relay runs them, from client to function. */
  readonly up: number;
  /** The same from function to client, where no rates hold. */
  readonly down: number;
}

/** Masked messages of a size as they may be read: one a read, or many; long ones in pieces. */
function shapes(bytes: number): { reads: string; chunks: Chunk[] }[] {
  const one = frame({ opcode: 2, payload: Buffer.alloc(bytes), mask: true });
  if (one.length > READ) {
    const pieces = Array.from({ length: Math.ceil(one.length / READ) }, (_, i) => one.subarray(i * READ, (i + 1) * READ));
    const header = one.length - bytes;
    const chunks = pieces.map((piece, i) => ({
      bytes: piece,
      frames: i === 0 ? 1 : 0,
      payload: i === 0 ? piece.length - header : piece.length,
    }));
    return [{ reads: `one in ${pieces.length} reads`, chunks }];
  }
  const count = Math.floor(READ / one.length);
  const many = Buffer.concat(Array.from({ length: count }, () => one));
  return [
    { reads: 'one a read', chunks: [{ bytes: one, frames: 1, payload: bytes }] },
    { reads: `${count} a read`, chunks: [{ bytes: many, frames: count, payload: bytes }] },
  ];
}

function scan(chunks: readonly Chunk[]): () => void {
  const scanner = new FrameScanner();
  return () => {
    for (const { bytes } of chunks) {
      let at = 0;
      while (at < bytes.length || scanner.owesEnd) at = scanner.next(bytes, at);
    }
  };
}

/** What Flow asks of the meter and counts, without the scanner that tells it. */
function meter(chunks: readonly Chunk[]): () => void {
  const clock = new Clock();
  const wide = spec();
  const rates = new RateMeter(wide, wide.maxMessagesPerSecond, clock.now());
  const messageSize = new MessageSize(wide.maxMessageBytes);
  const count = noTraffic().up;
  const total = noTraffic().up;
  const payload = (bytes: number) => {
    count.bytes += bytes;
    total.bytes += bytes;
    return rates.payload(bytes);
  };
  return () => {
    for (const chunk of chunks) {
      rates.at(clock.now());
      if (chunk.frames === 0) payload(chunk.payload);
      for (let i = 0; i < chunk.frames; i++) {
        if (!rates.frame() || !messageSize.frame(true, chunk.payload) || !rates.message()) throw new Error('over a limit');
        count.messages++;
        total.messages++;
        payload(chunk.payload);
      }
    }
  };
}

/** The relay's own walk, to a socket that takes everything at no cost. */
function walk(chunks: readonly Chunk[], side: Side): () => void {
  const clock = new Clock();
  const wide = spec();
  const stop = () => {
    throw new Error('the relay stopped');
  };
  const nothing = () => {};
  const events = { closed: stop, dropped: stop, broke: stop, exceeded: stop, throttled: stop, failed: stop, changed: nothing };
  const flow = (from: Side) =>
    new Flow({
      side: from,
      socket: Object.assign(new Socket(), { write: () => true }),
      size: new MessageSize(wide.maxMessageBytes),
      rates: from === 'client' ? new RateMeter(wide, wide.maxMessagesPerSecond, clock.now()) : undefined,
      traffic: noTraffic(),
      total: noTraffic().up,
      clock,
      events,
    });
  const from = flow(side);
  from.other = flow(side === 'client' ? 'function' : 'client');
  return () => {
    for (const { bytes } of chunks) from.read(bytes);
  };
}

/** CPU time and not the clock's, as others may want the processor meanwhile. */
function nanoseconds(work: () => void, frames: number): number {
  const rounds = Math.ceil(FRAMES_A_LOOK / frames);
  const run = (ms: number) => {
    const begun = process.cpuUsage();
    let done = 0;
    let taken = 0;
    while (taken < ms) {
      for (let i = 0; i < rounds; i++) work();
      done += rounds;
      const { user, system } = process.cpuUsage(begun);
      taken = (user + system) / 1000;
    }
    return (taken * 1e6) / (done * frames);
  };
  run(WARM_UP_MS);
  return median(Array.from({ length: RUNS }, () => run(RUN_MS)));
}

/** Measures all of it. */
export function frameCosts(): FrameCost[] {
  return SIZES.flatMap((bytes) =>
    shapes(bytes).map(({ reads, chunks }) => {
      const frames = chunks.reduce((sum, chunk) => sum + chunk.frames, 0);
      return {
        bytes,
        reads,
        scanner: nanoseconds(scan(chunks), frames),
        meter: nanoseconds(meter(chunks), frames),
        up: nanoseconds(walk(chunks, 'client'), frames),
        down: nanoseconds(walk(chunks, 'function'), frames),
      };
    }),
  );
}

/** Prints it. */
export function printFrameCosts(costs: readonly FrameCost[]): void {
  console.log('Nanoseconds per frame, medians of 5');
  printTable([
    ['message', 'frames', 'scanner', 'meter', 'both, client to function', 'both, function to client'],
    ...costs.map(({ bytes, reads, ...ns }) => [
      size(bytes),
      reads,
      ...[ns.scanner, ns.meter, ns.up, ns.down].map((value) => value.toFixed(0)),
    ]),
  ]);
}

if (import.meta.main) printFrameCosts(frameCosts());
