import { createServer, type IncomingMessage, type Server } from 'node:http';
import { PassThrough, Writable } from 'node:stream';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { type WebSocket, WebSocketServer } from 'ws';
import { type ConnectOptions, connect } from '../../src/cli/connect.ts';
import { listenAnywhere, until } from '../support/ports.ts';

let http: Server;
let sockets: WebSocketServer;
let url: string;
/** Answers of the server, which each test may replace. */
let onSocket: (socket: WebSocket, request: IncomingMessage) => void;

beforeEach(async () => {
  onSocket = (socket) => socket.on('message', (data, binary) => socket.send(data, { binary }));
  http = createServer();
  sockets = new WebSocketServer({ noServer: true });
  http.on('upgrade', (request, socket, head) => {
    sockets.handleUpgrade(request, socket, head, (opened) => onSocket(opened, request));
  });
  url = `ws://127.0.0.1:${await listenAnywhere(http)}/`;
});

afterEach(async () => {
  for (const socket of sockets.clients) socket.terminate();
  http.closeAllConnections();
  await new Promise((closed) => http.close(closed));
  await until('no listener of ours is left on SIGINT', () => process.listenerCount('SIGINT') === 0);
});

/** Collects what is written. */
function sink(): Writable & { text: () => string } {
  let text = '';
  const stream = new Writable({
    write(chunk, _encoding, done) {
      text += chunk;
      done();
    },
  });
  return Object.assign(stream, { text: () => text });
}

/** Starts `connect` with streams in memory. */
function start(options: Partial<ConnectOptions> = {}, to = url) {
  const [input, output, error] = [new PassThrough(), sink(), sink()];
  const exit = connect(to, { insecure: false, ...options }, { input, output, error });
  return { input, output, error, exit };
}

it('sends lines as text messages and prints messages as lines', async () => {
  const { input, output, error, exit } = start();
  input.write('hello\nGrüße\n');
  await until('both echoes', () => output.text() === 'hello\nGrüße\n');
  input.end();
  expect(await exit).toBe(0);
  expect(error.text()).toMatch(/^open in \d+ ms, no sub-protocol\nclosed: 1000\nfunction code 200: either side closed with 1000\n$/);
});

it('prints a binary message by its length and first bytes', async () => {
  onSocket = (socket) => {
    socket.send(Buffer.from([0, 255, 16]));
    socket.send(Buffer.alloc(40));
    socket.close(1000);
  };
  const { output, exit } = start();
  expect(await exit).toBe(0);
  expect(output.text()).toBe(`<3 bytes: 00ff10>\n<40 bytes: ${'00'.repeat(32)}…>\n`);
});

it('prints the answer to its last line, although its close frame follows at once', async () => {
  onSocket = (socket) => socket.on('message', () => socket.send('last words'));
  const { input, output, exit } = start();
  input.end('the only line\n');
  expect(await exit).toBe(0);
  expect(output.text()).toBe('last words\n');
});

it('waits after the end of the input if it is told to', async () => {
  onSocket = (socket) => socket.on('message', () => setImmediate(() => socket.close(4001, 'as asked')));
  const { input, error, exit } = start({ wait: 60 });
  input.end('close\n');
  expect(await exit).toBe(1);
  expect(error.text()).toContain('closed: 4001, as asked\nfunction code 439: the function closed with another code\n');
});

it('offers its sub-protocols and sends its headers', async () => {
  let seen: IncomingMessage | undefined;
  onSocket = (socket, request) => {
    seen = request;
    socket.close(1000);
  };
  const { error, exit } = start({ protocol: ['chat.v2', 'chat.v1'], header: ['Authorization: Bearer x', 'X-A:1', 'X-A: 2'] });
  expect(await exit).toBe(0);
  expect(error.text()).toContain('protocol chat.v2');
  expect(seen?.headers).toMatchObject({ authorization: 'Bearer x', 'x-a': '1, 2', 'sec-websocket-protocol': 'chat.v2,chat.v1' });
});

it.each([
  [1001, '455 idle timeout', 'closed: 1001, 455 idle timeout\nfunction code 455: ', 1],
  [1011, 'oops', 'closed: 1011, oops\nfunction code 200: ', 0],
  [4000, 'a\u001b[31mb', 'closed: 4000, a\\u{1b}[31mb\nfunction code 439: ', 1],
])('tells a close with %i %j', async (code, reason, told, exitCode) => {
  onSocket = (socket) => socket.close(code, reason);
  const { error, exit } = start();
  expect(await exit).toBe(exitCode);
  expect(error.text()).toContain(told);
});

it('tells a connection that is lost', async () => {
  onSocket = (socket) => socket.terminate();
  const { error, exit } = start();
  expect(await exit).toBe(1);
  expect(error.text()).toMatch(/\nlost\nfunction code unknown: no close frame/);
});

it('tells a refusal of the platform with its message and function code', async () => {
  const body = JSON.stringify({ statusCode: 435, errorMessage: 'no function at this host and path', requestId: 'abc' });
  http.removeAllListeners('upgrade').on('upgrade', (_request, socket) => {
    socket.end(
      `HTTP/1.1 404 Not Found\r\nX-Socketpod-Status: 435\r\nX-Request-Id: abc\r\nConnection: close\r\nContent-Length: ${body.length}\r\n\r\n${body}`,
    );
  });
  const { error, exit } = start();
  expect(await exit).toBe(1);
  expect(error.text()).toBe(
    'refused: HTTP 404, no function at this host and path (request id abc)\nfunction code 435: no function at this host and path\n',
  );
});

it("ends with 1 when the function refuses, though that is the function's success", async () => {
  http.removeAllListeners('upgrade').on('upgrade', (_request, socket) => {
    socket.end('HTTP/1.1 403 Forbidden\r\nX-Socketpod-Status: 200\r\nConnection: close\r\n\r\nnot you\n');
  });
  const { error, exit } = start();
  expect(await exit).toBe(1);
  expect(error.text()).toContain('refused: HTTP 403, not you\nfunction code 200: ');
});

it('tells in one line that nobody listens', async () => {
  const nobody = createServer();
  const port = await listenAnywhere(nobody);
  await new Promise((closed) => nobody.close(closed));
  const { error, exit } = start({}, `ws://127.0.0.1:${port}/`);
  expect(await exit).toBe(1);
  expect(error.text()).toBe(`not open: connect ECONNREFUSED 127.0.0.1:${port}\n`);
});

it('closes with 1000 on SIGINT, with input still open', async () => {
  const { input, output, exit } = start();
  input.write('hello\n');
  await until('the echo', () => output.text() === 'hello\n');
  process.emit('SIGINT');
  expect(await exit).toBe(0);
});

it.each<[string, Partial<ConnectOptions>, RegExp]>([
  ['here', {}, /"here" is not a WebSocket URL/],
  ['http://127.0.0.1/', {}, /is not a WebSocket URL/],
  ['ws://127.0.0.1/#a', {}, /fragment/],
  ['ws://127.0.0.1/', { header: ['no colon'] }, /header "no colon" is not NAME: VALUE/],
  ['ws://127.0.0.1/', { header: ['A: b\u0001'] }, /character that HTTP does not allow/],
  ['ws://127.0.0.1/', { protocol: ['a b'] }, /sub-protocol "a b"/],
  ['ws://127.0.0.1/', { protocol: ['a', 'a'] }, /sub-protocol "a"/],
])('is bad usage, in one line: %s %o', async (to, options, line) => {
  const { error, exit } = start(options, to);
  expect(await exit).toBe(2);
  expect(error.text()).toMatch(/^socketpod connect: [^\n]+\n$/);
  expect(error.text()).toMatch(line);
});
