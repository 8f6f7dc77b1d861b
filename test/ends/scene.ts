// Where the local scenarios play: a proxy on the process runtime with a function for each of them, and what a client gets from it.
import type { CompleteSpec } from '../../src/api/types.ts';
import { metricsOf, NO_CLUSTER, openAdminPort } from '../../src/cli/operate.ts';
import type { ServedFunction } from '../../src/core/served.ts';
import type { Violation } from '../../src/proxy/record.ts';
import type { Capacity } from '../../src/proxy/services.ts';
import { processRuntime } from '../../src/runtime/processes.ts';
import type { Runtime } from '../../src/runtime/runtime.ts';
import { readClose } from '../support/metered.ts';
import { until } from '../support/ports.ts';
import { served, startProxy, type TestProxy } from '../support/proxy.ts';
import { type RawPeer, rawConnect, upgradeHead } from '../support/raw-client.ts';
import { apiKey, jwtAuth, signingKey } from '../support/tokens.ts';

const FUNCTION = `exec ${process.execPath} test/ends/function.mjs`;
const CLOSE = 'Close' as const;
/** The function whose connections run into a fault of the program. */
const FAULTY = 'faulty';

/** What lets in to the function `locked`: an API key, and tokens of this key that have the claim. */
export const KEY = apiKey('ci');
export const SIGNING = signingKey('ES256', 'e');

type Part = [part?: Partial<CompleteSpec>, command?: string | undefined];

/** The functions by name: their limits, and the command where it is not the usual one. */
const FUNCTIONS: Readonly<Record<string, Part>> = {
  plain: [],
  'not-accepted': [],
  idle: [{ idleTimeoutSeconds: 1 }],
  short: [{ executionTimeoutSeconds: 1 }],
  small: [{ maxMessageBytes: 100 }],
  few: [{ maxMessagesPerSecond: 2, onRateExceeded: CLOSE }],
  thin: [{ maxBytesPerSecond: 100, maxMessageBytes: 100, onRateExceeded: CLOSE }],
  slow: [{ maxMessagesPerSecond: 1 }],
  [FAULTY]: [{ maxMessagesPerSecond: 1 }],
  deleted: [],
  one: [{ maxConnections: 1 }],
  off: [{ maxConnections: 0 }],
  locked: [{ allowedOrigins: ['https://app.example'], auth: { apiKeys: [KEY.entry], jwt: jwtAuth([SIGNING], { role: 'admin' }) } }],
  'no-command': [{}, ''],
  exits: [{}, 'exit 3'],
  'never-listens': [{ initTimeoutSeconds: 1 }, 'exec sleep 1000'],
  starting: [{}, 'exec sleep 1000'],
  'starting-too': [{}, 'exec sleep 1000'],
  'never-answers': [{ initTimeoutSeconds: 3 }, `${FUNCTION} silence`],
  holds: [{}, `${FUNCTION} silence`],
  drops: [{}, `${FUNCTION} drop`],
  garbage: [{}, `${FUNCTION} garbage`],
  refuses: [{}, `${FUNCTION} 403`],
  fails: [{}, `${FUNCTION} 500`],
  'fault-at-start': [],
};

/** An HTTP answer. */
export interface HttpAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** The stage. */
export interface Scene {
  readonly proxy: TestProxy;
  /** A client that has sent an upgrade request to this function. */
  ask(name: string, lines?: readonly string[]): Promise<RawPeer>;
  /** A client whose connection is open, and its id. */
  open(name?: string): Promise<{ client: RawPeer; id: string }>;
  /** Waits for the answer to a request. */
  answer(client: RawPeer): Promise<HttpAnswer>;
  /** What came next for a client: `code text` of a close frame, or nothing before its socket ended. */
  end(client: RawPeer): Promise<string>;
  /** The close frame that the function of this connection got, as `code text`; waits for one. */
  functionSaw(id: string): Promise<string>;
  /** Ends a connection at the admin port; gives the HTTP status. */
  operator(id: string): Promise<number>;
  stop(): Promise<void>;
}

/** Sets the stage. */
export async function setScene(capacity: Partial<Capacity> = {}): Promise<Scene> {
  const output = new Map<string, string[]>();
  const processes = processRuntime((_fn, id, line) => output.set(id, [...(output.get(id) ?? []), line]));
  const runtime: Runtime = {
    start: (request) => (request.fn.name === 'fault-at-start' ? Promise.reject(new Error('made by the test')) : processes.start(request)),
    close: (ms) => processes.close(ms),
  };
  const functions = Object.entries(FUNCTIONS).map(
    ([name, [part = {}, devCommand = FUNCTION]]): ServedFunction =>
      served(name, part, {
        folder: process.cwd(),
        problem: name === 'not-accepted' ? 'spec.maxMessageBytes: over the ceiling' : '',
        ...(devCommand === '' ? {} : { devCommand }),
      }),
  );
  const observer = {
    violated(violation: Violation) {
      if (violation.function === `test/${FAULTY}`) throw new Error('made by the test');
    },
  };
  const proxy = await startProxy(runtime, functions, { headTimeoutMs: 1000, observer, capacity });
  const operated = { ...NO_CLUSTER, services: proxy.services };
  const admin = await openAdminPort(
    { host: '127.0.0.1', port: 0 },
    operated,
    metricsOf(() => operated),
  );
  const clients: RawPeer[] = [];

  async function ask(name: string, lines: readonly string[] = []): Promise<RawPeer> {
    const client = await rawConnect(proxy.port);
    clients.push(client);
    client.send(upgradeHead(`/test/${name}`, lines));
    return client;
  }

  return {
    proxy,
    ask,
    answer,
    async open(name = 'plain') {
      const client = await ask(name);
      const head = await client.head();
      if (!head.startsWith('HTTP/1.1 101 ')) throw new Error(`not open: ${head}`);
      return { client, id: /X-Request-Id: (\S+)/.exec(head)?.[1] ?? '' };
    },
    async end(client) {
      await until('something came', () => client.received.length > 0 || client.ended || client.closed, 60_000);
      return client.received.length > 0 ? readClose(client) : '';
    },
    async functionSaw(id) {
      const find = () => output.get(id)?.find((line) => line.startsWith('closed '));
      await until('the function got a close frame', () => find() !== undefined);
      return (find() ?? '').slice('closed '.length).trimEnd();
    },
    async operator(id) {
      return (await fetch(`http://127.0.0.1:${admin.port}/connections/${id}`, { method: 'DELETE' })).status;
    },
    async stop() {
      for (const { socket } of clients) socket.destroy();
      await proxy.stop();
      admin.close();
    },
  };
}

/** Reads an HTTP answer to its end. */
async function answer(client: RawPeer): Promise<HttpAnswer> {
  const head = await client.head();
  const [first = '', ...lines] = head.trimEnd().split('\r\n');
  const headers = Object.fromEntries(
    lines.map((line) => [line.slice(0, line.indexOf(':')).toLowerCase(), line.slice(line.indexOf(':') + 2)]),
  );
  const body = (await client.take(Number(headers['content-length'] ?? 0))).toString();
  return { status: Number(first.split(' ')[1]), headers, body };
}
