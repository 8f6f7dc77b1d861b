// Whose a host is, in the status and in the traffic of a real proxy, with the controller and without it (contract part 6).
import { request } from 'node:http';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startApi, type TestApi } from '../support/cluster.ts';
import { FunctionsOf, installDefinition, type RunningController, startController } from '../support/controller.ts';
import { type NodeProxy, startNodeProxy } from '../support/node.ts';
import { until } from '../support/ports.ts';

let api: TestApi;
let functions: FunctionsOf;
let controller: RunningController;
let proxy: NodeProxy;

beforeAll(async () => {
  api = await startApi();
  await installDefinition(api);
  functions = new FunctionsOf(api);
  for (const name of ['a', 'b']) api.kubectl(['create', 'namespace', name]);
  controller = await startController(api.kubeconfig);
  proxy = await startNodeProxy(['--kubeconfig', api.kubeconfig, '--own-namespace', 'default']);
  await controller.leads();
}, 90_000);

afterAll(async () => {
  expect(await proxy?.stop()).toBe(0);
  await controller?.stop();
  await api?.stop();
});

/** A function that starts no pod: connections to it are refused with 432 if it is accepted, else with 438. */
function apply(namespace: string, name: string, ...hosts: string[]): void {
  functions.apply(namespace, name, { maxConnections: 0, route: { hosts } });
}

/** Which function the proxy finds at a host, and the function code, as in `432 a/first`. */
function traffic(host: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const handshake = {
      Connection: 'Upgrade',
      Upgrade: 'websocket',
      'Sec-WebSocket-Version': '13',
      'Sec-WebSocket-Key': 'dGhlIHNhbXBsZSBub25jZQ==',
    };
    const asked = request({ port: proxy.port, host: '127.0.0.1', headers: { Host: host, ...handshake } }, (answer) => {
      answer.resume().on('end', () => {
        const id = answer.headers['x-request-id'];
        const ended = () => proxy.lines.find((line) => line.message === 'end' && line.id === id);
        until('it is in the log', () => ended() !== undefined).then(() => resolve(`${ended()?.code} ${ended()?.function}`), reject);
      });
    });
    asked.on('error', reject).end();
  });
}

/** Waits until the traffic of a host is this. */
async function comes(host: string, expected: string): Promise<void> {
  let last = '';
  const isThere = async () => {
    last = await traffic(host);
    return last === expected;
  };
  await until(`${host} is ${expected}`, isThere).catch((error: Error) => {
    throw new Error(`${error.message}; it is ${last}`);
  });
}

describe('a host that two namespaces claim', () => {
  it('is the first one’s; the second takes no connections at all until the first is deleted', async () => {
    apply('a', 'first', 'x.example');
    await functions.reason('a', 'first', 'Accepted');
    apply('b', 'second', 'x.example', 'only-b.example');
    await functions.reason('b', 'second', 'HostTaken');
    await comes('x.example', '432 a/first');
    await comes('only-b.example', '438 b/second');
    functions.delete('a', 'first');
    await functions.reason('b', 'second', 'Accepted');
    await comes('x.example', '432 b/second');
    await comes('only-b.example', '432 b/second');
    functions.delete('b', 'second');
    await comes('x.example', '435 ');
  });

  it('stays with its holder when an older function comes to claim it, in the order of the names too', async () => {
    functions.apply('a', 'older', { maxConnections: 0 });
    await functions.reason('a', 'older', 'Accepted');
    apply('b', 'holder', 'y.example');
    await functions.reason('b', 'holder', 'Accepted');
    apply('a', 'older', 'y.example', 'only-a.example');
    await functions.reason('a', 'older', 'HostTaken');
    await comes('y.example', '432 b/holder');
    await comes('only-a.example', '438 a/older');
  });
});

describe('a controller that is dead', () => {
  it('changes nothing: holders hold, and a host that nobody holds goes to the oldest that claims it', async () => {
    await controller.stop();
    await comes('y.example', '432 b/holder');
    await comes('only-a.example', '438 a/older');
    apply('a', 'new', 'z.example');
    await comes('z.example', '432 a/new');
    apply('b', 'newer', 'z.example', 'only-newer.example');
    await comes('only-newer.example', '438 b/newer');
    await comes('z.example', '432 a/new');
    functions.delete('b', 'holder');
    await comes('y.example', '432 a/older');
    await comes('only-a.example', '432 a/older');
    functions.delete('a', 'new');
    await comes('z.example', '432 b/newer');
  });

  it('and comes back says what the proxies have done meanwhile', async () => {
    controller = await startController(api.kubeconfig);
    await functions.reason('a', 'older', 'Accepted');
    await functions.reason('b', 'newer', 'Accepted');
    expect(functions.get('a', 'older').status?.hosts).toEqual(['y.example', 'only-a.example']);
    await comes('z.example', '432 b/newer');
  });
});

describe('a function whose pods the API server refuses', () => {
  it('takes no connections until it is mended', async () => {
    functions.apply('a', 'typo', { maxConnections: 0, route: { hosts: ['t.example'] } }, { nodeSelektor: { a: 'b' } });
    await functions.reason('a', 'typo', 'PodRejected');
    await comes('t.example', '438 a/typo');
    functions.apply('a', 'typo', { maxConnections: 0, route: { hosts: ['t.example'] } }, { nodeSelektor: null });
    await comes('t.example', '432 a/typo');
  });
});
