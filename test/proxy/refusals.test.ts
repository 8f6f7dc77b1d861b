// What a client gets when its connection cannot open (contract part 3), through the front door.
import { afterEach, describe, expect, it } from 'vitest';
import type { CompleteSpec } from '../../src/api/types.ts';
import { OUTCOMES, type Outcome, type Reason } from '../../src/core/outcome.ts';
import type { ServedFunction } from '../../src/core/served.ts';
import { attachRuntime } from '../../src/runtime/attach.ts';
import type { Runtime, Started } from '../../src/runtime/runtime.ts';
import { served, startProxy, type TestProxy } from '../support/proxy.ts';
import { type RawPeer, rawConnect, upgradeHead } from '../support/raw-client.ts';

let proxy: TestProxy;
const clients: RawPeer[] = [];

afterEach(async () => {
  for (const { socket } of clients.splice(0)) socket.destroy();
  await proxy.stop();
});

/** A runtime that gives this answer; undefined: none until the start is given up. */
function scripted(answer: Reason | undefined): Runtime {
  return {
    start: ({ signal }) =>
      new Promise<Started>((resolve) => {
        const give = (reason: Reason) =>
          resolve({ ok: false, reason, detail: 'node-7 says: secret words of the platform', lastWords: 'secret last words' });
        if (answer) return give(answer);
        signal.addEventListener('abort', () => give('port_timeout'));
      }),
    close: async () => {},
  };
}

async function start(
  runtime: Runtime,
  part: Partial<CompleteSpec> = {},
  more: Partial<ServedFunction> = {},
  headTimeoutMs = 10_000,
): Promise<void> {
  proxy = await startProxy(runtime, [served('echo', part, more)], { headTimeoutMs });
}

async function connect(): Promise<RawPeer> {
  const client = await rawConnect(proxy.port);
  clients.push(client);
  return client;
}

interface Refusal {
  status: number;
  head: string;
  body: { statusCode: number; errorMessage: string; requestId: string };
}

async function refusal(client: RawPeer): Promise<Refusal> {
  const head = await client.head();
  await client.untilClosed();
  return { status: Number(head.split(' ')[1]), head, body: JSON.parse(client.received.toString()) };
}

function header(head: string, name: string): string | undefined {
  return new RegExp(`^${name}: (.*)\r$`, 'im').exec(head)?.[1];
}

const START_FAILURES = (
  [
    'image_pull_failed',
    'image_pull_timeout',
    'container_start_failed',
    'pod_rejected',
    'container_exited',
    'memory_limit',
    'unschedulable',
    'port_timeout',
    'pod_start_timeout',
    'api_unavailable',
    'pod_deleted',
    'pod_evicted',
    'max_connections',
    'quota_exceeded',
    'internal_error',
  ] as const
).map((reason) => [reason, OUTCOMES[reason] as Outcome] as const);

describe('a start that fails', () => {
  it.each(START_FAILURES)('with %s is an honest answer without words of the platform', async (reason, row) => {
    await start(scripted(reason));
    const client = await connect();
    client.send(upgradeHead());
    const { status, head, body } = await refusal(client);
    expect(status).toBe(row.refusal?.status);
    expect(header(head, 'X-Socketpod-Status')).toBe(String(row.code));
    expect(header(head, 'Connection')).toBe('close');
    expect(header(head, 'Cache-Control')).toBe('no-store');
    expect(header(head, 'Content-Type')).toBe('application/json');
    expect(header(head, 'Retry-After')).toBe(row.refusal?.retryAfter?.toString());
    expect(body).toEqual({ statusCode: row.code, errorMessage: row.cause, requestId: header(head, 'X-Request-Id') });
    client.socket.end();
    const [record] = await proxy.ended(1);
    expect(record).toMatchObject({ reason, httpStatus: status, detail: expect.stringContaining('secret words') });
  });

  it('that takes longer than the init timeout is ended then, with the reason of the runtime', async () => {
    await start(scripted(undefined), { initTimeoutSeconds: 1 });
    const client = await connect();
    client.send(upgradeHead());
    expect((await refusal(client)).body.statusCode).toBe(446);
    client.socket.end();
    expect((await proxy.ended(1))[0]?.reason).toBe('port_timeout');
  });

  it.each(['FIN', 'RST'])('because the client left by %s is recorded as such', async (how) => {
    await start(scripted(undefined));
    const client = await connect();
    client.send(upgradeHead());
    await new Promise((resolve) => setImmediate(resolve));
    if (how === 'FIN') client.socket.end();
    else client.socket.resetAndDestroy();
    expect((await proxy.ended(1))[0]).toMatchObject({ reason: 'client_left', httpStatus: 0 });
  });
});

describe('a request that is no handshake', () => {
  const GOOD = upgradeHead();
  it.each<[string, string, number, number, Reason]>([
    ['no function there', upgradeHead('/test/other'), 404, 435, 'route_not_found'],
    ['no upgrade', 'GET /test/echo HTTP/1.1\r\nHost: a\r\n\r\n', 426, 436, 'not_websocket'],
    ['another upgrade', GOOD.replace('Upgrade: websocket', 'Upgrade: h2c'), 426, 436, 'not_websocket'],
    ['a version that is not 13', GOOD.replace('Version: 13', 'Version: 8'), 426, 436, 'bad_handshake'],
    ['no version', upgradeHead('/test/echo', [], ['Sec-WebSocket-Version']), 426, 436, 'bad_handshake'],
    ['no key', upgradeHead('/test/echo', [], ['Sec-WebSocket-Key']), 400, 436, 'bad_handshake'],
    ['a short key', GOOD.replace('dGhlIHNhbXBsZSBub25jZQ==', 'dGhl'), 400, 436, 'bad_handshake'],
    ['two keys', upgradeHead('/test/echo', ['Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==']), 400, 436, 'bad_handshake'],
    ['POST', GOOD.replace('GET', 'POST'), 400, 436, 'bad_handshake'],
    ['CONNECT', 'CONNECT example.com:80 HTTP/1.1\r\nHost: example.com\r\n\r\n', 400, 436, 'bad_handshake'],
    ['a body', upgradeHead('/test/echo', ['Content-Length: 3']), 400, 436, 'bad_handshake'],
    ['a chunked body', upgradeHead('/test/echo', ['Transfer-Encoding: chunked']), 400, 436, 'bad_handshake'],
    ['no Host', upgradeHead('/test/echo', [], ['Host']), 400, 436, 'bad_handshake'],
    ['two Hosts', upgradeHead('/test/echo', ['Host: other']), 400, 436, 'bad_handshake'],
    ['a Host that is none', upgradeHead('/test/echo', ['Host: a/b'], ['Host']), 400, 436, 'bad_handshake'],
    ['HTTP/1.0', GOOD.replace('HTTP/1.1', 'HTTP/1.0'), 400, 436, 'bad_handshake'],
    ['a whole URL as target', upgradeHead('http://proxy.example/test/echo'), 400, 436, 'bad_handshake'],
    ['a dot segment', upgradeHead('/test/./echo'), 400, 436, 'bad_handshake'],
    ['two dots', upgradeHead('/x/../test/echo'), 400, 436, 'bad_handshake'],
    ['an empty segment', upgradeHead('/test//echo'), 400, 436, 'bad_handshake'],
    ['an encoded slash', upgradeHead('/test%2fecho'), 400, 436, 'bad_handshake'],
    ['an encoded dot', upgradeHead('/test/%2E%2e/echo'), 400, 436, 'bad_handshake'],
    ['a backslash', upgradeHead('/test\\echo'), 400, 436, 'bad_handshake'],
    ['Connection without Upgrade', GOOD.replace('Connection: Upgrade', 'Connection: keep-alive'), 400, 436, 'bad_handshake'],
    ['no HTTP', 'hello\r\n\r\n', 400, 436, 'bad_handshake'],
    ['a head over 16 KiB', upgradeHead('/test/echo', [`X-Long: ${'x'.repeat(17_000)}`]), 431, 436, 'bad_handshake'],
  ])('%s', async (_name, request, status, code, reason) => {
    await start(scripted('internal_error'));
    const client = await connect();
    client.send(request);
    const answer = await refusal(client);
    expect([answer.status, answer.body.statusCode]).toEqual([status, code]);
    expect(header(answer.head, 'Retry-After')).toBeUndefined();
    if (status === 426) {
      expect(header(answer.head, 'Upgrade')).toBe('websocket');
      expect(header(answer.head, 'Sec-WebSocket-Version')).toBe('13');
    }
    client.socket.end();
    expect((await proxy.ended(1))[0]?.reason).toBe(reason);
  });

  it('a head that is not complete in time gets 408', async () => {
    await start(scripted('internal_error'), {}, {}, 200);
    const client = await connect();
    client.send('GET /test/echo HTTP/1.1\r\nHost: a\r\n');
    expect((await refusal(client)).status).toBe(408);
    client.socket.end();
    expect((await proxy.ended(1))[0]?.reason).toBe('bad_handshake');
  });
});

describe('a function that takes no connections', () => {
  it.each<[Reason, Partial<CompleteSpec>, Partial<ServedFunction>]>([
    ['function_not_accepted', {}, { problem: 'spec.maxConnections: 7000 is over the ceiling 6400' }],
    ['function_not_accepted', { auth: {} }, { problem: 'spec.auth: it has no way in' }],
    ['bad_credentials', { auth: {} }, {}],
    ['max_connections', { maxConnections: 0 }, {}],
  ])('answers %s', async (reason, part, more) => {
    await start(scripted('internal_error'), part, more);
    const client = await connect();
    client.send(upgradeHead());
    expect((await refusal(client)).body.statusCode).toBe(OUTCOMES[reason].code);
    client.socket.end();
    expect((await proxy.ended(1))[0]?.reason).toBe(reason);
  });
});

describe('the health path', () => {
  it('answers 200 and is no connection', async () => {
    await start(attachRuntime('127.0.0.1', 1));
    expect((await fetch(`http://127.0.0.1:${proxy.port}/.socketpod/health`)).status).toBe(200);
    expect(proxy.records).toEqual([]);
  });
});
