// Clients that open connections and keep them. argv: port, connections, `tls` for a port with TLS. Tells when all are open.
import { connect, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { upgradeHead } from '../support/raw-client.ts';

/** Handshakes under way at a time. */
const AT_ONCE = 50;

const [port = 0, connections = 0] = process.argv.slice(2).map(Number);
const withTls = process.argv[4] === 'tls';
let begun = 0;
let open = 0;

function start(): void {
  if (begun === connections) return;
  begun++;
  const plain = (): Socket => connect({ port, host: '127.0.0.1', noDelay: true });
  const socket = withTls ? connectTls({ port, host: '127.0.0.1', rejectUnauthorized: false, servername: 'proxy.example' }) : plain();
  socket.write(upgradeHead());
  socket.once('data', () => {
    if (++open === connections) process.send?.('open');
    start();
  });
}

for (let i = 0; i < AT_ONCE; i++) start();
