// A client in a page of Chromium that goes on sending until it sees the end. A script there cannot ping: told to, it sends nothing, and
// what the browser sends are its pongs. See still-sending.ts.
import { inChromium } from '../support/chromium.ts';

const [url = '', kind = '', size = '', everyMs = ''] = process.argv.slice(2);

console.log(
  await inChromium(`
    const result = { opened: false, code: 1006, reason: '', error: '' };
    const socket = new WebSocket('${url}');
    socket.onopen = () => {
      result.opened = true;
      if ('${kind}' !== 'ping') setInterval(() => socket.send(new Uint8Array(${size})), ${everyMs});
    };
    socket.onerror = () => { result.error = 'an error event'; };
    socket.onclose = ({ code, reason }) => done(JSON.stringify({ ...result, code, reason }));`),
);
