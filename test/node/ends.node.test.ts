// The rows of the contract's parts 2 and 3 that need Kubernetes, each through the front door of `socketpod proxy` on a real node, side
// by side: what the client gets, and what is recorded. The rows stand in test/ends/contract.ts, how each is brought about beside them.
import { once } from 'node:events';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ROWS, type Row } from '../ends/contract.ts';
import { NODE_SCENARIOS, type NodeScenario } from '../ends/node-scenarios.ts';
import { expectRefusal } from '../ends/refusal.ts';
import { type FaultProxy, faultyApi } from '../support/faults.ts';
import {
  applyAll,
  functionObject,
  installCrd,
  kubectl,
  makeNamespace,
  type NodeProxy,
  type Opened,
  openSocket,
  type PodWatch,
  startNodeProxy,
  watchPods,
} from '../support/node.ts';
import { until } from '../support/ports.ts';
import { type BadRegistry, startBadRegistry } from '../support/registry.ts';

const NAMESPACE = 'ends';
const HERE = ROWS.filter(({ where }) => where === 'node');

let proxy: NodeProxy;
/** A proxy that loses its API server before its one client comes. */
let cutOff: NodeProxy;
let between: FaultProxy;
let registry: BadRegistry;
const watches = new Map<string, PodWatch>();

const functionOf = ({ name }: Row) => name.replaceAll(/[ _]/g, '-');
const scenarioOf = ({ name }: Row): NodeScenario => NODE_SCENARIOS[name] ?? {};
/** A row with objects of its own has them in a namespace of its own. */
const namespaceOf = (row: Row) => (scenarioOf(row).objects ? `${NAMESPACE}-${functionOf(row)}` : NAMESPACE);
const keyOf = (row: Row) => `${namespaceOf(row)}/${functionOf(row)}`;
const proxyOf = (row: Row) => (scenarioOf(row).away ? cutOff : proxy);

beforeAll(async () => {
  await installCrd();
  registry = await startBadRegistry();
  for (const namespace of new Set(HERE.map(namespaceOf))) {
    await makeNamespace(namespace);
    watches.set(namespace, await watchPods(namespace));
  }
  for (const row of HERE) {
    const { container = {}, pod, objects = [], initTimeoutSeconds = 60 } = scenarioOf(row);
    const made = typeof container === 'function' ? container(registry) : container;
    applyAll(namespaceOf(row), [...objects, functionObject(functionOf(row), made, { initTimeoutSeconds }, pod)]);
  }
  await until('the quota is counted', () => kubectl(['get', 'quota', '-A', '-o', 'jsonpath={.items[*].status.hard}']) !== '');
  const api = await faultyApi(process.env.KUBECONFIG ?? '');
  between = api;
  [proxy, cutOff] = await Promise.all([startNodeProxy(), startNodeProxy(['--kubeconfig', api.kubeconfig])]);
  await Promise.all(HERE.map((row) => proxyOf(row).serves(keyOf(row))));
  between.set('refuse');
}, 90_000);

afterAll(async () => {
  between?.set('pass');
  for (const watch of watches.values()) {
    await watch.none(60_000);
    await watch.stop();
  }
  expect([await proxy?.stop(), await cutOff?.stop()]).toEqual([0, 0]);
  await between?.stop();
  await registry?.stop();
}, 90_000);

/** The pod of a row's connection, once its container runs. */
async function runningPod(row: Row): Promise<string> {
  const find = () =>
    [...(watches.get(namespaceOf(row))?.pods.values() ?? [])].find(
      ({ metadata, status }) =>
        metadata?.labels?.['socketpod.dev/function'] === functionOf(row) && status?.containerStatuses?.[0]?.state?.running,
    );
  await until(`the pod of ${row.name} runs`, () => find() !== undefined, 60_000);
  return find()?.metadata?.name ?? '';
}

/** Opens the row's connection, lets its scenario happen, and gives what the client got. */
async function play(row: Row): Promise<{ opened: Opened; closed: readonly unknown[] }> {
  const { act } = scenarioOf(row);
  const opening = openSocket(`ws://127.0.0.1:${proxyOf(row).port}/${keyOf(row)}`);
  const opened = row.close || !act ? await opening : undefined;
  const socket = opened && 'socket' in opened ? opened.socket : undefined;
  const closed = socket && once(socket, 'close');
  act?.({ namespace: namespaceOf(row), pod: await runningPod(row), socket });
  return { opened: opened ?? (await opening), closed: (await closed) ?? [] };
}

describe.concurrent('on a real node', { timeout: 120_000 }, () => {
  it('has a scenario for each row, and no other', () => {
    expect(Object.keys(NODE_SCENARIOS).sort()).toEqual(HERE.map(({ name }) => name).sort());
  });

  it.each(HERE)('$name: $code', async (row) => {
    const { opened, closed } = await play(row);
    const end = await proxyOf(row).end(keyOf(row));
    const { code, reason } = row;
    expect(end, String(end.detail)).toMatchObject({ code, reason, status: 'failure', httpStatus: row.close ? 101 : row.http });
    if (row.close) {
      expect([closed[0], String(closed[1])]).toEqual([row.close.client, scenarioOf(row).text]);
      return;
    }
    if (!('status' in opened)) throw new Error('it opened');
    expect(expectRefusal(row, opened)).toBe(end.id);
  });
});
