// The verdict of the API server without one: the same schema, by ajv, and the same CEL rules, by cel-js. One source, two judges.
import { Environment } from '@marcbachmann/cel-js';
import { Ajv, type ErrorObject } from 'ajv';
import { tooMuch } from './bounds.ts';
import { metadataProblems } from './metadata.ts';
import { API_VERSION, KIND } from './names.ts';
import type { Problem } from './problem.ts';
import { RESOURCE } from './schema.ts';
import type { Rule, Schema } from './schema-form.ts';
import type { CompleteSpec, WebSocketFunction } from './types.ts';

const ajv = new Ajv({ allErrors: true, strict: false, validateFormats: false, useDefaults: true, verbose: true });
const matches = ajv.compile(closed(RESOURCE));
const cel = new Environment({ unlistedVariablesAreDyn: true });
const compiled = new Map<string, ReturnType<Environment['parse']>>();

/** The schema with `additionalProperties: false` where the API server would refuse an unknown field. */
function closed(schema: Schema): object {
  const { properties, items, additionalProperties, ...rest } = schema;
  const isOpen = !properties || schema['x-kubernetes-preserve-unknown-fields'] || schema === RESOURCE.properties?.metadata;
  return {
    ...rest,
    ...(properties ? { properties: Object.fromEntries(Object.entries(properties).map(([name, part]) => [name, closed(part)])) } : {}),
    ...(items ? { items: closed(items) } : {}),
    ...(additionalProperties ? { additionalProperties: closed(additionalProperties) } : isOpen ? {} : { additionalProperties: false }),
  };
}

/** All that is wrong with a WebSocketFunction as a user wrote it; empty when the API server would take it, and the controller then. */
export function validate(value: unknown): Problem[] {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return [{ path: '', message: 'not a Kubernetes object' }];
  const much = tooMuch(value);
  if (much) return [much];
  const object = withoutNulls(RESOURCE, value) as Partial<WebSocketFunction>;
  const problems = typeProblems(object);
  if (problems.length > 0) return problems;
  problems.push(...metadataProblems(object.metadata));
  matches(object);
  // On create the API server forgets a status; only its field names are judged.
  const faults = (matches.errors ?? []).filter(
    ({ instancePath, keyword }) => !/^\/status(\/|$)/.test(instancePath) || keyword === 'additionalProperties',
  );
  problems.push(...faults.map((fault) => problemOf(fault, object)));
  delete object.status;
  problems.push(...duplicateProblems(RESOURCE, object, ''));
  // The API server too runs no rules on what has not the right shape: they could not be evaluated.
  const hasName = !problems.some(({ path }) => path === 'metadata' || path === 'metadata.name');
  if (hasName && !faults.some(({ keyword }) => keyword === 'type' || keyword === 'required')) {
    problems.push(...ruleProblems(RESOURCE, object, ''));
  }
  return problems.filter(({ path, message }, i) => problems.findIndex((other) => other.path === path && other.message === message) === i);
}

/** Stands for a spec that is too much to be looked at. */
const NO_SPEC = { template: { spec: { containers: [] } } };

/**
 * The same object with every default of the schema filled in. What `validate` has not found good may be served nowhere; a spec that is
 * too much to be looked at is left out of it.
 */
export function complete(value: WebSocketFunction): WebSocketFunction & { spec: CompleteSpec } {
  const object = withoutNulls(RESOURCE, tooMuch(value) ? { ...value, spec: NO_SPEC } : value);
  matches(object);
  return object as WebSocketFunction & { spec: CompleteSpec };
}

function typeProblems(object: Partial<WebSocketFunction>): Problem[] {
  const problems: Problem[] = [];
  if (object.apiVersion !== API_VERSION) problems.push({ path: 'apiVersion', message: `${show(object.apiVersion)} is not ${API_VERSION}` });
  if (object.kind !== KIND) problems.push({ path: 'kind', message: `${show(object.kind)} is not ${KIND}` });
  return problems;
}

/** A copy without the nulls that the API server takes out of declared fields before it fills in defaults (`route:` without a value). */
function withoutNulls(schema: Schema | undefined, value: unknown): unknown {
  if (Array.isArray(value)) return value.map((item) => withoutNulls(schema?.items, item));
  if (typeof value !== 'object' || value === null || !schema) return value;
  const partOf = (name: string) => schema.properties?.[name] ?? schema.additionalProperties;
  return Object.fromEntries(
    Object.entries(value)
      .filter(([name, inner]) => inner !== null || !partOf(name))
      .map(([name, inner]) => [name, withoutNulls(partOf(name), inner)]),
  );
}

/** An ajv error in the words of `kubectl`: path, value, remedy. */
function problemOf(error: ErrorObject, object: unknown): Problem {
  const path = fieldPath(error.instancePath, object);
  const { params, parentSchema } = error;
  const bounds = parentSchema as Schema;
  const value = show(error.data);
  const size = (error.data as { length?: number } | null)?.length;
  switch (error.keyword) {
    case 'required':
      return { path: join(path, params.missingProperty), message: 'missing; add it' };
    case 'additionalProperties':
      return { path: join(path, params.additionalProperty), message: `unknown field; ${advice(params.additionalProperty, bounds)}` };
    case 'type':
      return { path, message: `${value} is not of type ${params.type}` };
    case 'minimum':
    case 'maximum':
      return { path, message: `${value} is out of range; use ${bounds.minimum} to ${bounds.maximum}` };
    case 'enum':
      return { path, message: `${value} is not one of ${params.allowedValues.join(', ')}` };
    case 'pattern':
      return { path, message: `${value} does not match ${params.pattern}` };
    case 'minItems':
    case 'maxItems':
      return { path, message: `has ${size} items; use ${bounds.minItems ?? 0} to ${bounds.maxItems}` };
    case 'minLength':
    case 'maxLength':
      return { path, message: `is ${size} characters long; use ${bounds.minLength ?? 0} to ${bounds.maxLength}` };
    default:
      return { path, message: error.message ?? error.keyword };
  }
}

function advice(unknown: string, schema: Schema): string {
  const known = Object.keys(schema.properties ?? {});
  const plain = (name: string) => name.toLowerCase().replaceAll(/[^a-z]/g, '');
  const near =
    plain(unknown) && known.find((name) => plain(name).startsWith(plain(unknown).slice(0, 5)) || plain(unknown).includes(plain(name)));
  return near ? `did you mean ${near}?` : `known are ${known.join(', ')}`;
}

/** Items that are twice in a set, or in a list map by its keys. Each is named once, at its second place, as by the API server. */
function duplicateProblems(schema: Schema, value: unknown, path: string): Problem[] {
  const keys = schema['x-kubernetes-list-map-keys'];
  const own: Problem[] = [];
  if (Array.isArray(value) && (keys || schema['x-kubernetes-list-type'] === 'set')) {
    const ids = value.map((item) => JSON.stringify(keys ? keys.map((key) => item?.[key]) : item));
    ids.forEach((id, i) => {
      if (ids.indexOf(id) < i && ids.indexOf(id, ids.indexOf(id) + 1) === i) {
        own.push({ path: `${path}[${i}]`, message: `is there twice: ${cut(id)}; take one out` });
      }
    });
  }
  return [...own, ...parts(schema, value, path).flatMap(([part, inner, at]) => duplicateProblems(part, inner, at))];
}

function ruleProblems(schema: Schema, value: unknown, path: string): Problem[] {
  const own = (schema['x-kubernetes-validations'] ?? []).filter((rule) => !holds(rule, schema, value));
  return [
    ...own.map((rule) => ({ path: (path + (rule.fieldPath ?? '')).replace(/^\./, ''), message: rule.message })),
    ...parts(schema, value, path).flatMap(([part, inner, at]) => ruleProblems(part, inner, at)),
  ];
}

function holds({ rule }: Rule, schema: Schema, value: unknown): boolean {
  const program = compiled.get(rule) ?? cel.parse(rule);
  compiled.set(rule, program);
  return program({ self: celValue(schema, value) }) === true;
}

/** CEL knows whole numbers from others; JavaScript has only one kind, so the schema's integers become bigint. */
function celValue(schema: Schema | undefined, value: unknown): unknown {
  if (typeof value === 'number' && schema?.type === 'integer') return BigInt(value);
  if (Array.isArray(value)) return value.map((item) => celValue(schema?.items, item));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([name, inner]) => [name, celValue(schema?.properties?.[name] ?? schema?.additionalProperties, inner)]),
  );
}

/** The declared parts of a value, with the schema and path of each. */
function parts(schema: Schema, value: unknown, path: string): [Schema, unknown, string][] {
  if (Array.isArray(value)) return schema.items ? value.map((item, i) => [schema.items as Schema, item, `${path}[${i}]`]) : [];
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([name, inner]) => {
    const part = schema.properties?.[name];
    return part ? [[part, inner, join(path, name)] as [Schema, unknown, string]] : [];
  });
}

/** `/spec/route/hosts/0` as `spec.route.hosts[0]`. The object tells a list's index from a field that is a number. */
function fieldPath(pointer: string, object: unknown): string {
  let path = '';
  let at = object;
  for (const step of pointer.split('/').slice(1)) {
    const field = step.replaceAll('~1', '/').replaceAll('~0', '~');
    path = Array.isArray(at) ? `${path}[${field}]` : join(path, field);
    at = (at as Record<string, unknown> | undefined)?.[field];
  }
  return path;
}

function join(path: string, field: string): string {
  return path === '' ? field : `${path}.${field}`;
}

function show(value: unknown): string {
  return cut(JSON.stringify(value) ?? 'nothing');
}

function cut(text: string): string {
  return text.length > 80 ? `${text.slice(0, 77)}...` : text;
}
