// What is too much for one process that serves many functions, and what becomes of a function that is.
import { describe, expect, it } from 'vitest';
import { tooMuch } from '../../src/api/bounds.ts';
import { DEFAULT_CEILINGS } from '../../src/api/ceilings.ts';
import { validate } from '../../src/api/validate.ts';
import { templateHash } from '../../src/core/pod.ts';
import { FunctionReader } from '../../src/kube/functions.ts';

/** As `JSON.parse` gives it: it does not recurse either. */
function nested(levels: number, [open, close]: readonly [string, string]): unknown {
  return JSON.parse(open.repeat(levels) + close.repeat(levels));
}

function fn(foreign: unknown, env: unknown[] = []) {
  const containers = [{ name: 'function', image: 'localhost/fn:1', env }];
  return {
    apiVersion: 'socketpod.dev/v1alpha1' as const,
    kind: 'WebSocketFunction' as const,
    metadata: { name: 'deep', namespace: 'test', uid: 'u', generation: 1 },
    spec: { template: { spec: { containers, foreign } } },
  };
}

const lists = (levels: number) => nested(levels, ['[', ']']);
const mappings = (levels: number): unknown => JSON.parse(`${'{"a":'.repeat(levels)}1${'}'.repeat(levels)}`);
const large = (bytes: number) => [{ name: 'A', value: 'x'.repeat(bytes) }];

describe('a function', () => {
  it.each<[what: string, object: ReturnType<typeof fn>, path: string | undefined]>([
    [
      'with what a pod has',
      fn({ affinity: { nodeAffinity: { required: [{ terms: [{ matchExpressions: [{ values: ['a'] }] }] }] } } }),
      undefined,
    ],
    ['nested 50 deep', fn(lists(50)), undefined],
    ['nested 70 deep', fn(lists(70)), 'spec'],
    ['of 9,000 lists', fn(lists(9000)), 'spec'],
    ['of 9,000 mappings', fn(mappings(9000)), 'spec'],
    ['of 120 KiB', fn(undefined, large(120 * 1024)), undefined],
    ['of 130 KiB', fn(undefined, large(130 * 1024)), 'spec.template'],
    ['of a mebibyte', fn(undefined, large(1024 * 1024)), 'spec.template'],
  ])('%s', (_what, object, path) => {
    expect(tooMuch(object)?.path).toBe(path);
    expect(validate(object)[0]?.path).toBe(path);
    const { fn: read, fault } = new FunctionReader({ ceilings: DEFAULT_CEILINGS, hostRules: undefined }).read(object as never);
    expect(fault?.reason).toBe(path && 'InvalidSpec');
    expect(read.problem).toContain(path ?? '');
    expect(templateHash(read)).toMatch(/^[0-9a-f]{16}$/);
  });

  it.each([null, undefined, {}, { spec: null }, { spec: 'x' }])('that is none is not too much: %j', (object) => {
    expect(validate(object)[0]?.message).not.toContain('nested');
  });
});
