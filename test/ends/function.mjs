// The function of the local scenarios: says on its output which close frames it gets, and does as it is told in a text message.
// Its argument is how it answers an upgrade: nothing at all, a drop, garbage, or a status; without one, properly.
import { createServer } from 'node:http';
import { WebSocketServer } from 'ws';

const [answer] = process.argv.slice(2);
const server = createServer();
const sockets = new WebSocketServer({ noServer: true, maxPayload: 0 });

server.on('upgrade', (request, socket, head) => {
  socket.on('error', () => {});
  if (answer === 'silence') return;
  if (answer === 'drop') return void socket.end();
  if (answer === 'garbage') return void socket.end('what is this?\r\n\r\n');
  if (answer) return void socket.end(`HTTP/1.1 ${answer} Mine\r\nContent-Length: 9\r\nX-Mine: yes\r\n\r\nnot today`);
  sockets.handleUpgrade(request, socket, head, serve);
});

function serve(socket) {
  socket.on('error', () => {});
  socket._receiver.on('conclude', (code, text) => console.log(`closed ${code} ${text}`));
  socket.on('message', (data) => {
    const [word, what] = String(data).split(' ');
    if (word === 'close') what ? socket.close(Number(what), 'as told') : socket.close();
    else if (word === 'drop') socket.terminate();
    else if (word === 'exit') process.exit(Number(what));
    else if (word === 'send') socket.send(Buffer.alloc(Number(what)));
    else if (word === 'raw') socket._socket.write(Buffer.from(what, 'hex'));
  });
}

process.on('SIGTERM', () => process.exit(0));
server.listen(process.env.PORT);
