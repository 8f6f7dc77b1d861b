// The verdicts of `socketpod validate`, without an API server. parity.api.test.ts holds the same list against a real one.
import { describe, expect, it } from 'vitest';
import type { WebSocketFunction } from '../../src/api/types.ts';
import { complete, validate } from '../../src/api/validate.ts';
import { CASES, objectOf } from './resources.ts';

/** As YAML or JSON would give it: without undefined fields. */
function plain(value: unknown): unknown {
  return JSON.parse(JSON.stringify(value));
}

describe('validate', () => {
  it.each(CASES.map((one) => [one.name, one] as const))('judges %s', (_name, one) => {
    const paths = validate(plain(objectOf(one))).map(({ path }) => path);
    if (one.at === undefined) expect(paths).toEqual([]);
    else expect(paths).toContain(one.at);
  });

  it('names the value and the remedy', () => {
    const [problem] = validate(plain(objectOf({ name: '', spec: { idleTimeoutSeconds: 5 } })));
    expect(problem).toEqual({ path: 'spec.idleTimeoutSeconds', message: '5 is out of range; use 10 to 7200' });
    const [unknown] = validate(plain(objectOf({ name: '', spec: { idleTimeout: 5 } })));
    expect(unknown?.message).toBe('unknown field; did you mean idleTimeoutSeconds?');
  });

  it.each([[null], [7], ['text'], [[]], [{}]])('refuses %j without a fault', (value) => {
    expect(validate(value).length).toBeGreaterThan(0);
  });

  it('refuses another kind and version by name', () => {
    expect(validate({ apiVersion: 'v1', kind: 'Pod', metadata: { name: 'x' } }).map(({ path }) => path)).toEqual(['apiVersion', 'kind']);
  });

  it('leaves what it judges as it was', () => {
    const object = plain(objectOf({ name: '' }));
    validate(object);
    expect(object).toEqual(plain(objectOf({ name: '' })));
  });
});

describe('complete', () => {
  it('fills in the defaults of the contract', () => {
    const { spec } = complete(plain(objectOf({ name: '', spec: { route: { hosts: ['a.example.com'] } } })) as WebSocketFunction);
    expect(spec).toMatchObject({
      port: 9000,
      initTimeoutSeconds: 90,
      idleTimeoutSeconds: 60,
      executionTimeoutSeconds: 7200,
      maxMessageBytes: 262_144,
      maxBytesPerSecond: 131_072,
      maxMessagesPerSecond: 10,
      onRateExceeded: 'Throttle',
      maxConnections: 100,
      warmPods: 0,
      refuseWith: 'HTTPStatus',
      route: { hosts: ['a.example.com'], paths: ['/'] },
    });
  });
});
