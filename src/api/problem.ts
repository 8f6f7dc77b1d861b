// What is wrong with a file: a place and words; and the first look at a file of the operator.

/** One fault: the field's path as the API server writes it (`spec.route.hosts[0]`), the value and the remedy in the message. */
export interface Problem {
  readonly path: string;
  readonly message: string;
}

/**
 * The fields of a value that must be a mapping; what is wrong with it is added to `problems`.
 * @param known the fields that it may have; undefined: any
 */
export function mappingOf(
  value: unknown,
  path: string,
  known: readonly string[] | undefined,
  problems: Problem[],
): Record<string, unknown> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    problems.push({ path, message: `${shown(value)} is not a mapping` });
    return {};
  }
  for (const field of Object.keys(value)) {
    if (known && !known.includes(field)) {
      problems.push({ path: path ? `${path}.${field}` : field, message: `unknown field; known are ${known.join(', ')}` });
    }
  }
  return Object.fromEntries(Object.entries(value).filter(([field]) => !known || known.includes(field)));
}

/** A value as JSON, for messages. */
export function shown(value: unknown): string {
  return JSON.stringify(value) ?? String(value);
}
