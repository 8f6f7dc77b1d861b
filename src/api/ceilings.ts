// The most that functions may ask for: the operator's, one file for proxy and controller, by namespace too (contract part 4).

import { mappingOf, type Problem, shown } from './problem.ts';
import { SPEC } from './schema.ts';
import type { CompleteSpec } from './types.ts';

/** The fields that have a ceiling. */
export const CEILED = ['maxMessageBytes', 'maxBytesPerSecond', 'maxMessagesPerSecond', 'maxConnections'] as const;

/** A ceiling for each of these fields. */
export type CeilingSet = Readonly<Record<(typeof CEILED)[number], number>>;

/** Ceilings for all namespaces, and those of single ones. */
export interface Ceilings {
  readonly default: CeilingSet;
  readonly namespaces: Readonly<Record<string, Partial<CeilingSet>>>;
}

/** Ceilings are this many times the field defaults where the operator says nothing. */
const GENEROUS = 64;

function timesDefaults(factor: number): CeilingSet {
  const entries = CEILED.map((field) => [field, Number(SPEC.properties?.[field]?.default) * factor]);
  return Object.fromEntries(entries) as CeilingSet;
}

/** 64 times the field defaults. */
export const DEFAULT_CEILINGS: Ceilings = { default: timesDefaults(GENEROUS), namespaces: {} };

/**
 * Reads a ceilings file: `profile` (default, or scf: the limits of the original), `default` and `namespaces.NAME`, each with any
 * of the ceiled fields.
 * @returns the ceilings, or what is wrong, by path
 */
export function parseCeilings(value: unknown): Ceilings | Problem[] {
  if (value === null || value === undefined) return DEFAULT_CEILINGS;
  const problems: Problem[] = [];
  const file = mappingOf(value, '', ['profile', 'default', 'namespaces'], problems);
  const profile = file.profile ?? 'default';
  if (profile !== 'default' && profile !== 'scf')
    problems.push({ path: 'profile', message: `${shown(profile)} is neither "default" nor "scf"` });
  const base = profile === 'scf' ? timesDefaults(1) : DEFAULT_CEILINGS.default;
  const all = { ...base, ...ceilingSet(file.default, 'default', problems) };
  const namespaces: Record<string, Partial<CeilingSet>> = {};
  for (const [name, set] of Object.entries(mappingOf(file.namespaces ?? {}, 'namespaces', undefined, problems))) {
    namespaces[name] = ceilingSet(set, `namespaces.${name}`, problems);
  }
  return problems.length > 0 ? problems : { default: all, namespaces };
}

function ceilingSet(value: unknown, path: string, problems: Problem[]): Partial<CeilingSet> {
  const set: Record<string, number> = {};
  for (const [field, ceiling] of Object.entries(mappingOf(value ?? {}, path, CEILED, problems))) {
    if (Number.isInteger(ceiling) && Number(ceiling) >= 1 && Number(ceiling) <= 2_147_483_647) set[field] = Number(ceiling);
    else problems.push({ path: `${path}.${field}`, message: `${shown(ceiling)} is not a whole number from 1 to 2147483647` });
  }
  return set;
}

/** The fields of a spec that are over the ceilings of its namespace. */
export function overCeilings(spec: CompleteSpec, ceilings: Ceilings, namespace: string): Problem[] {
  const set = { ...ceilings.default, ...ceilings.namespaces[namespace] };
  return CEILED.filter((field) => spec[field] > set[field]).map((field) => ({
    path: `spec.${field}`,
    message: `${spec[field]} is over the ceiling ${set[field]} of the operator; lower it, or ask for a higher ceiling`,
  }));
}
