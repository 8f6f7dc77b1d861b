// A proxy in a process of its own, so that only the relay's memory is measured. argv: the port of the backend. Tells its own port,
// and on every message the most that it has held so far.
import { Socket } from 'node:net';
import { attachRuntime } from '../../src/runtime/attach.ts';
import { served, startProxy } from './proxy.ts';

const sockets = new Set<Socket>();
const write = Socket.prototype.write;
let mostHeld = 0;
// Every socket that is written to in this process is one of the relay's.
Socket.prototype.write = function (this: Socket, ...args: Parameters<typeof write>) {
  sockets.add(this);
  const result = write.apply(this, args);
  mostHeld = Math.max(
    mostHeld,
    [...sockets].reduce((sum, { writableLength }) => sum + writableLength, 0),
  );
  return result;
} as typeof write;

const proxy = await startProxy(attachRuntime('127.0.0.1', Number(process.argv[2])), [served()]);
const before = process.memoryUsage().arrayBuffers;
let peak = 0;
setInterval(() => {
  peak = Math.max(peak, process.memoryUsage().arrayBuffers - before);
}, 5);
process.on('message', async () => {
  for (let round = 0; round < 3; round++) {
    globalThis.gc?.();
    await new Promise((resolve) => setTimeout(resolve, 20)); // buffers are given back by a thread of V8 after the collection
  }
  process.send?.({ mostHeld, grown: process.memoryUsage().arrayBuffers - before, peak });
});
process.send?.({ port: proxy.port });
