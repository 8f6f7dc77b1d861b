// A load generator. argv: port, connections, bytes of a message. Each connection sends a message, waits until it has come back, and
// sends the next. Tells when all are open; it works from `go` to `stop`, and tells after both how many messages have come back so far.
import { connect } from 'node:net';
import { frame } from '../support/frames.ts';
import { upgradeHead } from '../support/raw-client.ts';

const [port = 0, connections = 0, bytes = 0] = process.argv.slice(2).map(Number);
const message = frame({ opcode: 2, payload: Buffer.alloc(bytes), mask: true });
const sends: (() => void)[] = [];
let going = false;
let open = 0;
let messages = 0;

function start(): void {
  const socket = connect({ port, host: '127.0.0.1', noDelay: true });
  let missing = 0;
  socket.write(upgradeHead());
  socket.once('data', () => {
    socket.on('data', (chunk) => {
      missing -= chunk.length;
      if (missing > 0) return;
      messages++;
      if (going) send();
    });
    sends.push(send);
    if (++open === connections) process.send?.('open');
  });
  const send = () => {
    if (missing > 0) return; // it is still under way from the last time
    missing = message.length;
    socket.write(message);
  };
}

for (let i = 0; i < connections; i++) start();
process.on('message', (order) => {
  going = order === 'go';
  if (going) for (const send of sends) send();
  process.send?.(messages);
});
