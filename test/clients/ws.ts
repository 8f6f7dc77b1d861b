// A client on ws that goes on sending until it sees the end. See still-sending.ts.
import { WebSocket } from 'ws';

const [url = '', kind = '', size = '', everyMs = ''] = process.argv.slice(2);
const result = { opened: false, code: 1006, reason: '', error: '' };
const payload = Buffer.alloc(Number(size));
const socket = new WebSocket(url);

function send(): void {
  if (socket.readyState === WebSocket.CLOSED) return;
  if (kind === 'ping') socket.ping();
  else socket.send(payload);
  setTimeout(send, Number(everyMs)); // the pace that the caller asked for
}

socket.on('open', () => {
  result.opened = true;
  send();
});
socket.on('error', (error) => {
  result.error = String(error);
});
socket.on('close', (code, reason) => console.log(JSON.stringify({ ...result, code, reason: String(reason) })));
