// What the schema owes its readers, and the API server.
import { describe, expect, it } from 'vitest';
import { SPEC } from '../../src/api/schema.ts';
import type { Schema } from '../../src/api/schema-form.ts';

/** Every declared field below a schema, by path. */
function fieldsOf(schema: Schema, path: string): [string, Schema][] {
  const own = Object.entries(schema.properties ?? {}).map(([name, part]): [string, Schema] => [`${path}.${name}`, part]);
  const inner = own.flatMap(([at, part]) => fieldsOf(part, at));
  return [...own, ...inner, ...(schema.items ? fieldsOf(schema.items, `${path}[]`) : [])];
}

const FIELDS = fieldsOf(SPEC, 'spec');

describe('the schema', () => {
  it('describes every field', () => {
    expect(FIELDS.length).toBeGreaterThan(35);
    expect(FIELDS.filter(([, { description }]) => !description).map(([path]) => path)).toEqual([]);
  });

  it('names range, default and code of every limit in time as they are', () => {
    const limits = FIELDS.filter(([path]) => path.endsWith('Seconds'));
    expect(limits).toHaveLength(3);
    for (const [path, { minimum, maximum, default: fallback, description }] of limits) {
      expect(description, path).toMatch(
        new RegExp(`in seconds\\. ${minimum} to ${maximum}, default ${fallback}\\. Over it: code .+\\. SCF: .+\\.$`),
      );
    }
  });

  it('bounds every list, as CEL is charged for the longest', () => {
    const lists = FIELDS.filter(([, { type }]) => type === 'array');
    expect(lists.length).toBeGreaterThan(10);
    expect(lists.filter(([, { maxItems }]) => maxItems === undefined).map(([path]) => path)).toEqual([]);
  });
});
