// An echo function: what a client sends comes back with the same type. A few texts are commands, so that every way in which a
// connection can end can be tried by hand; the README lists them.
import { createServer } from 'node:http';
import { hostname } from 'node:os';
import { WebSocketServer } from 'ws';

const port = Number(process.env.PORT ?? 9000);
/** The largest message that is taken after decompression: a small one can unfold to gigabytes. */
const MAX_PAYLOAD = 16 * 1024 * 1024;
/** The longest wait for the clients' closing handshakes after SIGTERM (ms). */
const GOODBYE_MS = 1000;

/** Close codes that an endpoint may send (RFC 6455, section 7.4). */
const CLOSE = /^close (100[0-37-9]|101[0-4]|[34]\d{3})$/;
const EXIT = /^exit (\d{1,2}|1\d\d|2[0-4]\d|25[0-5])$/;

const server = createServer((_request, response) => {
  response.writeHead(426, { 'Content-Type': 'text/plain', Upgrade: 'websocket' }).end('This is a WebSocket server.\n');
});
const sockets = new WebSocketServer({ noServer: true, perMessageDeflate: true, maxPayload: MAX_PAYLOAD });
let listenMs = 0;
let listeningSince = 0;

// How long this process took to listen, and when that was (ms since 1970): what a start costs can be read off its 101.
sockets.on('headers', (headers) => headers.push(`X-Listen-Ms: ${listenMs}`, `X-Listening-Since: ${listeningSince}`));

sockets.on('connection', (socket) => {
  socket.on('error', (error) => console.error(error.message)); // the close event follows
  socket.on('message', (data, isBinary) => {
    const text = isBinary ? '' : data.toString();
    const close = CLOSE.exec(text);
    const exit = EXIT.exec(text);
    if (close) socket.close(Number(close[1]), 'as asked');
    else if (exit) process.exit(Number(exit[1]));
    else if (text === 'hostname') socket.send(hostname());
    else if (text === 'pid') socket.send(String(process.pid));
    else socket.send(data, { binary: isBinary });
  });
});

server.on('upgrade', (request, socket, head) => {
  const path = (request.url ?? '/').split('?')[0];
  if (path.endsWith('/refuse')) {
    const body = 'This path is always refused.\n';
    socket.on('error', () => socket.destroy());
    socket.end(`HTTP/1.1 403 Forbidden\r\nContent-Type: text/plain\r\nContent-Length: ${body.length}\r\nConnection: close\r\n\r\n${body}`);
    return;
  }
  // ws takes the first sub-protocol that the client offers.
  sockets.handleUpgrade(request, socket, head, (opened) => sockets.emit('connection', opened, request));
});

server.listen(port, () => {
  listenMs = Math.round(performance.now()); // counted from the start of the process
  listeningSince = performance.timeOrigin + performance.now();
  console.log(`listening on port ${server.address().port} after ${listenMs} ms`);
});

process.once('SIGTERM', () => {
  server.close(() => process.exit(0));
  for (const socket of sockets.clients) socket.close(1001, 'going away');
  setTimeout(() => process.exit(0), GOODBYE_MS);
});
