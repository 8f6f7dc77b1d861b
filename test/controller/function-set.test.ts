// When it is worked out again whose each host is; what comes of it is tested on a real API server (hosts.api.test.ts).
import { expect, it } from 'vitest';
import { DEFAULT_CEILINGS } from '../../src/api/ceilings.ts';
import type { WebSocketFunction } from '../../src/api/types.ts';
import { FunctionSet } from '../../src/controller/function-set.ts';
import { functionObject } from '../support/node.ts';

it('functions without hosts do not change whose each host is', () => {
  const events = { function: () => {}, namespace: () => {}, gone: () => {} };
  const functions = new FunctionSet({ ceilings: DEFAULT_CEILINGS, hostRules: undefined }, events);
  const put = (name: string, spec: object = {}, generation = 1) => {
    const metadata = { name, namespace: 'a', uid: name, generation, creationTimestamp: '2026-01-01T00:00:00Z' };
    const found = { ...(functionObject(name, {}, spec) as WebSocketFunction), metadata };
    functions.set(found);
    return found;
  };
  put('routed', { route: { hosts: ['x.example.com'] } });
  const before = functions.owners();
  functions.gone(put('plain'));
  expect(functions.owners()).toBe(before);
  put('routed', { route: { hosts: ['y.example.com'] } }, 2);
  expect([...functions.owners().keys()]).toEqual(['y.example.com']);
});
