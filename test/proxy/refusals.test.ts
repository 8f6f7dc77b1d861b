// What a client gets when its connection cannot open (contract part 3), through the front door. Requests that are no handshake:
// test/hostile/handshakes.ts.
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

async function start(runtime: Runtime, part: Partial<CompleteSpec> = {}, more: Partial<ServedFunction> = {}): Promise<void> {
  proxy = await startProxy(runtime, [served('echo', part, more)]);
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
