// Clients that open connections and keep them. argv: port, connections. Tells when all are open.
import { connect } from 'node:net';
import { upgradeHead } from '../support/raw-client.ts';

/** Handshakes under way at a time. */
const AT_ONCE = 50;

const [port = 0, connections = 0] = process.argv.slice(2).map(Number);
let begun = 0;
let open = 0;

function start(): void {
  if (begun === connections) return;
  begun++;
  const socket = connect({ port, host: '127.0.0.1', noDelay: true });
  socket.write(upgradeHead());
  socket.once('data', () => {
    if (++open === connections) process.send?.('open');
    start();
  });
}

for (let i = 0; i < AT_ONCE; i++) start();
