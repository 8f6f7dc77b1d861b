// Pods on a real node keep the contract of a runtime, as local processes do.
import { afterAll, beforeAll, describe, expect } from 'vitest';
import type { CompleteSpec } from '../../src/api/types.ts';
import { connectKube, type KubeClient } from '../../src/kube/client.ts';
import { PodRuntime } from '../../src/runtime/pods.ts';
import { kubectl } from '../support/node.ts';
import { until } from '../support/ports.ts';
import { served } from '../support/proxy.ts';
import { runContract } from './contract.ts';

const NAMESPACE = 'contract';
let client: KubeClient;
let runs = 0;

beforeAll(async () => {
  client = connectKube(undefined);
  kubectl(['create', 'namespace', NAMESPACE]);
  await until('the namespace has its service account', () =>
    kubectl(['get', 'serviceaccount', '-n', NAMESPACE, '-o', 'name']).includes('default'),
  );
}, 60_000);

afterAll(() => client?.close());

/** A function of the runtime alone: its owner's uid is nobody's, but the garbage collector is not asked within a test's time. */
function fn(name: string, args: string[]) {
  const template: CompleteSpec['template'] = {
    spec: { containers: [{ name: 'function', image: 'localhost/fn:1', imagePullPolicy: 'IfNotPresent', args }] },
  };
  return served(
    name,
    { template },
    { namespace: NAMESPACE, uid: kubectl(['get', 'namespace', NAMESPACE, '-o', 'jsonpath={.metadata.uid}']) },
  );
}

function pods(): string {
  return kubectl(['get', 'pods', '-n', NAMESPACE, '-o', 'name']);
}

describe('the runtime of pods', { timeout: 60_000 }, () => {
  runContract(async () => {
    const runtime = new PodRuntime({
      client,
      proxyId: `contract${String(++runs).padStart(2, '0')}`,
      namespace: NAMESPACE,
      unschedulableGraceMs: undefined,
      log: () => {},
    });
    await runtime.ready();
    return {
      runtime,
      works: fn('works', []),
      never: fn('never', ['--never']),
      ownBackends: true,
      empty: () => pods() === '',
      dispose: async () => expect(pods()).toBe(''),
    };
  });
});
