// node:http's own reading of bytes, with the options of our listener, and no socket.
import { createServer, type IncomingMessage } from 'node:http';
import { Duplex } from 'node:stream';
import type { RawRequest } from '../../src/core/request.ts';

const server = createServer({ maxHeaderSize: 16_384, requireHostHeader: false });
server.maxHeadersCount = 0;
const waiting = new WeakMap<object, (request: IncomingMessage | undefined) => void>();
server.on('upgrade', (request, socket) => waiting.get(socket)?.(request));
server.on('connect', (_request, socket) => waiting.get(socket)?.(undefined));
server.on('request', (request) => waiting.get(request.socket)?.(undefined));
server.on('clientError', (_error, socket) => waiting.get(socket)?.(undefined));

/** The upgrade request in these bytes; undefined when they are something else, or not one whole head. */
export function upgradeIn(bytes: string): Promise<RawRequest | undefined> {
  return new Promise((resolve) => {
    const socket = new Duplex({ read() {}, write: (_chunk, _encoding, done) => done() });
    waiting.set(socket, (request) => {
      resolve(
        request && {
          method: request.method ?? '',
          httpVersion: request.httpVersion,
          target: request.url ?? '',
          rawHeaders: request.rawHeaders,
        },
      );
      socket.destroy();
    });
    socket.on('close', () => resolve(undefined)).on('error', () => {});
    server.emit('connection', socket);
    socket.push(Buffer.from(bytes, 'latin1'));
    socket.push(null);
  });
}
