// What operators allow at most, and how a bad file of theirs is told.
import { describe, expect, it } from 'vitest';
import { type Ceilings, DEFAULT_CEILINGS, overCeilings, parseCeilings } from '../../src/api/ceilings.ts';
import type { CompleteSpec, WebSocketFunction } from '../../src/api/types.ts';
import { complete } from '../../src/api/validate.ts';
import { objectOf } from './resources.ts';

function parsed(value: unknown): Ceilings {
  const ceilings = parseCeilings(value);
  if (Array.isArray(ceilings)) throw new Error(JSON.stringify(ceilings));
  return ceilings;
}

function specOf(spec: Record<string, unknown>): CompleteSpec {
  return complete(objectOf({ name: '', spec }) as unknown as WebSocketFunction).spec;
}

describe('ceilings', () => {
  it('are 64 times the field defaults where nothing is said', () => {
    const generous = { maxMessageBytes: 16_777_216, maxBytesPerSecond: 8_388_608, maxMessagesPerSecond: 640, maxConnections: 6400 };
    expect(DEFAULT_CEILINGS).toEqual({ default: generous, namespaces: {} });
    expect([parsed(null), parsed(undefined), parsed({}), parsed({ profile: 'default' })]).toEqual(Array(4).fill(DEFAULT_CEILINGS));
  });

  it('are the limits of the original with the profile scf, single ones raised', () => {
    expect(parsed({ profile: 'scf', default: { maxConnections: 7 } }).default).toEqual({
      maxMessageBytes: 262_144,
      maxBytesPerSecond: 131_072,
      maxMessagesPerSecond: 10,
      maxConnections: 7,
    });
  });

  it('hold at their value and not above it', () => {
    expect(overCeilings(specOf({ maxConnections: 6400 }), DEFAULT_CEILINGS, 'a')).toEqual([]);
    expect(overCeilings(specOf({ maxConnections: 6401 }), DEFAULT_CEILINGS, 'a')).toEqual([
      { path: 'spec.maxConnections', message: '6401 is over the ceiling 6400 of the operator; lower it, or ask for a higher ceiling' },
    ]);
  });

  it('of a namespace go before those of all, field by field', () => {
    const ceilings = parsed({ default: { maxConnections: 10, maxMessageBytes: 500 }, namespaces: { big: { maxConnections: 20 } } });
    const spec = specOf({ maxConnections: 20, maxMessageBytes: 501 });
    expect(overCeilings(spec, ceilings, 'big').map(({ path }) => path)).toEqual(['spec.maxMessageBytes']);
    expect(overCeilings(spec, ceilings, 'small').map(({ path }) => path)).toEqual(['spec.maxMessageBytes', 'spec.maxConnections']);
  });

  it.each([
    [[], ''],
    [{ profile: 'tight' }, 'profile'],
    [{ defaults: {} }, 'defaults'],
    [{ default: { maxPods: 1 } }, 'default.maxPods'],
    [{ default: { maxConnections: 0 } }, 'default.maxConnections'],
    [{ default: { maxConnections: '5' } }, 'default.maxConnections'],
    [{ default: { maxConnections: 1.5 } }, 'default.maxConnections'],
    [{ namespaces: { a: { maxConnections: 2_147_483_648 } } }, 'namespaces.a.maxConnections'],
    [{ namespaces: [] }, 'namespaces'],
  ])('refuse %j at %j', (value, path) => {
    expect(parseCeilings(value)).toMatchObject([{ path, message: expect.stringMatching(/\S/) }]);
  });
});
