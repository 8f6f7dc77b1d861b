// Clients that wait for their close frame. argv: port, connections, ms to open them in, seconds of the timeout, `idle` or `execution`;
// at `execution` each sends a small message a second, which comes back. Tells at the end by how many ms each close frame came later
// than due, which is the timeout after the 101, and how late this process itself was at most.
import { connect, type Socket } from 'node:net';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { closeFrame, frame } from '../support/frames.ts';
import { upgradeHead } from '../support/raw-client.ts';

const [port = 0, connections = 0, openMs = 0, seconds = 0] = process.argv.slice(2).map(Number);
const sends = process.argv[6] === 'execution';
const TEXT = sends ? '433 execution timeout' : '455 idle timeout';
const EXPECTED = closeFrame(1001, TEXT);
const MESSAGE = frame({ opcode: 1, payload: 'tick', mask: true });
const ANSWER = closeFrame(1001, TEXT, true);
const late: number[] = [];
const loop = monitorEventLoopDelay({ resolution: 5 });

function open(): void {
  const socket = connect({ port, host: '127.0.0.1', noDelay: true });
  socket.write(upgradeHead());
  socket.once('data', () => wait(socket));
}

function wait(socket: Socket): void {
  const due = performance.now() + seconds * 1000;
  const sending = sends ? setInterval(() => socket.write(MESSAGE), 1000) : undefined;
  socket.on('data', (chunk) => {
    if (!chunk.subarray(-EXPECTED.length).equals(EXPECTED)) return; // an echo
    late.push(performance.now() - due);
    clearInterval(sending);
    socket.end(ANSWER);
    if (late.length === connections) process.send?.({ late, own: loop.max / 1e6 }, () => process.disconnect());
  });
}

const begun = performance.now();
let opened = 0;
loop.enable();
const opening = setInterval(() => {
  const wanted = Math.min(connections, ((performance.now() - begun) / openMs) * connections);
  while (opened < wanted) {
    opened++;
    open();
  }
  if (opened === connections) clearInterval(opening);
}, 5);
