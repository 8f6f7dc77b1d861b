// A server that answers 101 and then sends back what comes, byte by byte: the cheapest echo there is. Tells its port.
import { createServer } from 'node:net';
import { listenAnywhere } from '../support/ports.ts';
import { SWITCHING } from '../support/raw-client.ts';

const server = createServer({ noDelay: true }, (socket) => {
  socket.on('error', () => socket.destroy());
  let head = '';
  const read = (chunk: Buffer) => {
    head += chunk.toString('latin1');
    if (!head.endsWith('\r\n\r\n')) return; // the clients wait for the 101
    socket.off('data', read);
    socket.write(SWITCHING);
    socket.pipe(socket);
  };
  socket.on('data', read);
});
process.send?.(await listenAnywhere(server));
