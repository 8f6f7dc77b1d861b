// Pods on a real node keep the contract of a runtime, as local processes do.
import { afterAll, beforeAll, describe, expect } from 'vitest';
import type { ServedFunction } from '../../src/core/served.ts';
import { connectKube, type KubeClient } from '../../src/kube/client.ts';
import { PodRuntime } from '../../src/runtime/pods.ts';
import { functionObject, installCrd, kubectl, makeNamespace } from '../support/node.ts';
import { podRuntimeOptions } from '../support/pods.ts';
import { served } from '../support/proxy.ts';
import { runContract } from './contract.ts';

const NAMESPACE = 'contract';
let client: KubeClient;
let works: ServedFunction;
let never: ServedFunction;
let runs = 0;

beforeAll(async () => {
  client = connectKube(undefined);
  await installCrd();
  await makeNamespace(NAMESPACE);
  works = fn('works', []);
  never = fn('never', ['--never']);
}, 60_000);

afterAll(() => client?.close());

/** A function that the API server knows too: the garbage collector deletes a pod whose owner is nobody. */
function fn(name: string, args: string[]): ServedFunction {
  const applied = kubectl(['apply', '-n', NAMESPACE, '-o', 'json', '-f', '-'], functionObject(name, { args }));
  const { metadata, spec } = JSON.parse(applied);
  return served(name, spec, { namespace: NAMESPACE, uid: metadata.uid });
}

function pods(): string {
  return kubectl(['get', 'pods', '-n', NAMESPACE, '-o', 'name']);
}

describe('the runtime of pods', { timeout: 60_000 }, () => {
  runContract(async () => {
    const proxyId = `contract${String(++runs).padStart(2, '0')}`;
    const runtime = new PodRuntime({ ...podRuntimeOptions(client, proxyId), namespaces: [NAMESPACE] });
    await runtime.ready();
    return {
      runtime,
      works,
      never,
      ownBackends: true,
      empty: () => pods() === '',
      dispose: async () => expect(pods()).toBe(''),
    };
  });
});
