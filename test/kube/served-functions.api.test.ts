// What a proxy is told of functions, on a real API server and without a controller: what connections are judged by, and no counts.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { DEFAULT_CEILINGS } from '../../src/api/ceilings.ts';
import type { WebSocketFunctionStatus } from '../../src/api/types.ts';
import { keyOf, type ServedFunction } from '../../src/core/served.ts';
import { connectKube, type KubeClient } from '../../src/kube/client.ts';
import { ServedFunctions } from '../../src/kube/served-functions.ts';
import { startApi, type TestApi } from '../support/cluster.ts';
import { FunctionsOf, installDefinition } from '../support/controller.ts';
import { functionObject } from '../support/node.ts';
import { until } from '../support/ports.ts';

let api: TestApi;
let client: KubeClient;
let functions: FunctionsOf;
let watch: ServedFunctions;
const told: string[] = [];
const known = new Map<string, ServedFunction>();

beforeAll(async () => {
  api = await startApi();
  client = connectKube(api.kubeconfig);
  await installDefinition(api);
  functions = new FunctionsOf(api);
  for (const name of ['a', 'b']) api.kubectl(['create', 'namespace', name]);
  functions.apply('a', 'first', { route: { hosts: ['x.example'] } });
  functions.apply('b', 'second', { route: { hosts: ['x.example', 'denied.example'] } });
  const hostRules = [{ hosts: ['x.example', 'y.example'], namespaces: ['*'] }];
  watch = new ServedFunctions(
    client,
    [],
    { ceilings: DEFAULT_CEILINGS, hostRules },
    {
      set(fn) {
        told.push(`${keyOf(fn)}: ${fn.problem}`);
        known.set(keyOf(fn), fn);
      },
      gone: (key) => void told.push(`${key} is gone`),
      log: () => {},
    },
  );
  await watch.start();
}, 90_000);

afterAll(async () => {
  watch?.stop();
  await client?.close();
  await api?.stop();
});

/** What is told from now on, until `last` is. */
async function next(last: string): Promise<string[]> {
  await until(`it is told that ${last}`, () => told.includes(last));
  return told.splice(0);
}

function writeStatus(namespace: string, name: string, status: WebSocketFunctionStatus): void {
  const patch = JSON.stringify({ status });
  api.kubectl(['patch', 'wsf', '-n', namespace, name, '--subresource=status', '--type=merge', '-p', patch]);
}

describe('a function', () => {
  it('is told once at the start, with why it is not accepted', async () => {
    const problem = "host denied.example may not be claimed in namespace b: the operator's host rules say so";
    expect(told.splice(0).sort()).toEqual(['a/first: ', `b/second: ${problem}`]);
    functions.apply('b', 'second', { route: { hosts: ['x.example'] } });
    expect(await next('b/second: host x.example belongs to a/first')).toHaveLength(1);
  });

  it('is told again when another takes a host from it, or leaves it to it, and by the status of its holder', async () => {
    functions.delete('a', 'first');
    expect((await next('b/second: ')).sort()).toEqual(['a/first is gone', 'b/second: ']);
    // Who is older is told by whole seconds.
    await until('another second has begun', () => Date.now() >= (known.get('b/second')?.createdAt ?? 0) + 1000);
    functions.apply('a', 'third', { route: { hosts: ['y.example'] } });
    await next('a/third: ');
    functions.apply('b', 'second', { route: { hosts: ['x.example', 'y.example'] } }); // it is older, and nobody holds y.example
    expect((await next('a/third: host y.example belongs to b/second')).sort()).toEqual([
      'a/third: host y.example belongs to b/second',
      'b/second: ',
    ]);
    writeStatus('a', 'third', { hosts: ['y.example'] });
    expect((await next('a/third: ')).sort()).toEqual(['a/third: ', 'b/second: host y.example belongs to a/third']);
  });

  it('is not told for a status that counts', async () => {
    writeStatus('a', 'third', { openConnections: 7, url: 'wss://y.example' });
    functions.apply('b', 'later');
    expect(await next('b/later: ')).toEqual(['b/later: ']);
  });

  it.each([
    [
      'nested 3,000 deep',
      '['.repeat(3000) + ']'.repeat(3000),
      'spec: lists and mappings are nested more than 64 deep; no field of a pod is',
    ],
    ['of 200 KiB', JSON.stringify('x'.repeat(204_800)), 'spec.template: has '],
  ])('that the API server takes and nobody can use ends no proxy: %s', async (what, foreign, problem) => {
    const name = `much-${foreign.length}`;
    const body = functionObject(name, { foreign: JSON.parse(foreign) });
    await client.call('POST', '/apis/socketpod.dev/v1alpha1/namespaces/a/websocketfunctions', { body });
    await until(`it is told of one ${what}`, () => known.get(`a/${name}`)?.problem.startsWith(problem) === true);
    functions.delete('a', name);
    await next(`a/${name} is gone`);
  });

  it('whose pods the API server refused is not accepted for as long as it is of that generation', async () => {
    const condition = { type: 'Accepted', status: 'False', reason: 'PodRejected', message: 'no such field' } as const;
    const at = { lastTransitionTime: '2026-01-01T00:00:00Z' };
    writeStatus('b', 'later', { conditions: [{ ...condition, ...at, observedGeneration: 1 }] });
    expect(await next('b/later: no such field')).toHaveLength(1);
    functions.apply('b', 'later', { maxConnections: 5 });
    expect(await next('b/later: ')).toHaveLength(1);
    expect(known.get('b/later')?.spec.maxConnections).toBe(5);
    writeStatus('b', 'later', { conditions: [{ ...condition, ...at, status: 'True', reason: 'Accepted', observedGeneration: 2 }] });
    writeStatus('b', 'later', { conditions: [{ ...condition, ...at, observedGeneration: 2 }] });
    expect(await next('b/later: no such field')).toHaveLength(1);
  });
});
