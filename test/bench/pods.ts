// What a connection costs beside the proxy, on a real node: the memory of its pod as the kubelet tells it, for each example, and the
// calls to the API server.
import { readFileSync } from 'node:fs';
import type { WebSocket } from 'ws';
import { parse } from 'yaml';
import { functionObject, installCrd, kubectl, mustOpen, type NodeProxy, startNodeProxy, watchPods } from '../support/node.ts';
import { until } from '../support/ports.ts';
import { printTable } from './figures.ts';

const OPENED = 20;
/** The kubelet looks at memory every 10 s or so; the second look is of a pod that has settled. */
const LOOKS = 2;

const KEY = { headers: { Authorization: 'Bearer try-the-terminal' } };
const example = (name: string) => {
  const object = parse(readFileSync(`examples/${name}/function.yaml`, 'utf8'));
  return { ...object, spec: { ...object.spec, warmPods: 0 } };
};
const FUNCTIONS = {
  'a static listener in C': functionObject('static', {}),
  'node-echo': example('node-echo'),
  'python-push': example('python-push'),
  terminal: example('terminal'),
};

/** Working set of a pod in MiB, once the kubelet has looked at it often enough. */
async function memoryOf(pod: string): Promise<string> {
  const node = kubectl(['get', 'nodes', '-o', 'jsonpath={.items[0].metadata.name}']);
  const line = new RegExp(`^pod_memory_working_set_bytes\\{.*pod="${pod}".*\\} (\\S+) (\\d+)$`, 'm');
  const seen = new Map<string, number>();
  await until(
    `the kubelet tells the memory of ${pod}`,
    () => {
      const [, bytes, time = ''] = line.exec(kubectl(['get', '--raw', `/api/v1/nodes/${node}/proxy/metrics/resource`])) ?? [];
      if (Number(bytes) > 0) seen.set(time, Number(bytes));
      return seen.size >= LOOKS;
    },
    120_000,
  );
  return (([...seen.values()].at(-1) ?? Number.NaN) / 2 ** 20).toFixed(1);
}

/** Calls about pods so far by verb, without the watch. */
async function calls(proxy: NodeProxy): Promise<Map<string, number>> {
  const text = await (await fetch(`http://127.0.0.1:${proxy.adminPort}/metrics`)).text();
  const found = new Map<string, number>();
  for (const [, labels = '', value] of text.matchAll(/^socketpod_kube_requests_total\{(.*)\} (\S+)$/gm)) {
    const verb = /verb="(\w+)"/.exec(labels)?.[1] ?? '';
    if (/resource="(pods|events)"/.test(labels) && !/watch|list/.test(verb)) found.set(verb, (found.get(verb) ?? 0) + Number(value));
  }
  return found;
}

await installCrd();
const pods = await watchPods('default');
const proxy = await startNodeProxy();
const rows: string[][] = [];
for (const [name, object] of Object.entries(FUNCTIONS)) {
  kubectl(['apply', '-f', '-'], object);
  const fn = object.metadata.name;
  await proxy.serves(`default/${fn}`);
  const url = `ws://127.0.0.1:${proxy.port}/default/${fn}`;
  const sockets: WebSocket[] = [(await mustOpen(url, [], KEY)).socket];
  const memory = await memoryOf(`${fn}-slot-0`).catch((error: Error) => error.message.slice(0, 200));
  sockets.pop()?.close(1000);
  await pods.none();

  const before = await calls(proxy);
  for (let i = 0; i < OPENED; i++) {
    const { socket } = await mustOpen(url, [], KEY);
    socket.close(1000);
    await pods.none();
  }
  const after = await calls(proxy);
  const told = [...after].map(([verb, count]) => `${((count - (before.get(verb) ?? 0)) / OPENED).toFixed(2)} ${verb}`);
  rows.push([name, memory, told.join(', ')]);
}
console.log(`One idle pod of each kind: its working set; and calls to the API server per connection, mean of ${OPENED} cold starts`);
printTable([['function', 'MiB', 'calls'], ...rows]);
await proxy.stop();
await pods.stop();
