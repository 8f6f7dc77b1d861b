// The kinds of values of the chart, and what is made of a tree of them: values.yaml, values.schema.json and the table of the docs.
import { stringify } from 'yaml';

/** A JSON schema (draft 7: what every Helm reads). */
type Schema = Readonly<Record<string, unknown>>;

/** One value: what it is for, what it is if nobody says, and what it may be. */
export interface Value {
  readonly description: string;
  readonly fallback: unknown;
  readonly schema: Schema;
}

/** Values under one name. */
export interface Group {
  readonly description: string;
  readonly members: Readonly<Record<string, Value | Group>>;
}

export function group(description: string, members: Group['members']): Group {
  return { description, members };
}

export function text(fallback: string, description: string, pattern?: string): Value {
  return { description, fallback, schema: { type: 'string', ...(pattern === undefined ? {} : { pattern: `^(${pattern})?$` }) } };
}

export function choice(options: readonly [string, ...string[]], description: string): Value {
  return { description, fallback: options[0], schema: { type: 'string', enum: options } };
}

export function flag(fallback: boolean, description: string): Value {
  return { description, fallback, schema: { type: 'boolean' } };
}

export function whole(fallback: number, [minimum, maximum]: readonly [number, number], description: string): Value {
  return { description, fallback, schema: { type: 'integer', minimum, maximum } };
}

export function list(description: string, items: Schema, fallback: readonly unknown[] = []): Value {
  return { description, fallback, schema: { type: 'array', items } };
}

/** Names and texts, such as labels. */
export function texts(description: string): Value {
  return { description, fallback: {}, schema: { type: 'object', additionalProperties: { type: 'string' } } };
}

/** An object with these fields and no others, all optional. */
export function record(properties: Readonly<Record<string, Schema>>): Schema {
  return { type: 'object', additionalProperties: false, properties };
}

/** An object of Kubernetes, which judges it itself. */
export const KUBERNETES: Schema = { type: 'object' };

/** Handed to Kubernetes as it is. */
export function kubernetes(description: string, fallback: object = {}): Value {
  return { description, fallback, schema: KUBERNETES };
}

function isGroup(value: Value | Group): value is Group {
  return 'members' in value;
}

/** The schema: names that it does not know are errors. */
export function schemaOf(value: Value | Group): Schema {
  if (!isGroup(value)) return { description: value.description, ...value.schema };
  const properties = Object.fromEntries(Object.entries(value.members).map(([name, member]) => [name, schemaOf(member)]));
  return { description: value.description, type: 'object', additionalProperties: false, properties };
}

/** The lines of values.yaml, each value under its description. */
export function yamlOf({ members }: Group, indent = ''): string {
  return Object.entries(members)
    .map(([name, member]) => {
      const comment = wrapped(member.description, 120 - indent.length)
        .map((line) => `${indent}# ${line}\n`)
        .join('');
      if (isGroup(member)) return `${comment}${indent}${name}:\n${yamlOf(member, `${indent}  `)}`;
      const said = stringify({ [name]: member.fallback }, { lineWidth: 0 });
      return comment + said.replace(/^(?=.)/gm, indent);
    })
    .join(indent === '' ? '\n' : '');
}

function wrapped(words: string, width: number): string[] {
  const lines: string[] = [];
  for (const word of words.split(' ')) {
    const last = lines.at(-1);
    if (last === undefined || last.length + 1 + word.length > width) lines.push(word);
    else lines[lines.length - 1] = `${last} ${word}`;
  }
  return lines;
}

/** Rows of name, kind, default and meaning. */
export function rowsOf({ members }: Group, prefix = ''): string[][] {
  return Object.entries(members).flatMap(([name, member]) => {
    if (isGroup(member)) return rowsOf(member, `${prefix}${name}.`);
    return [[`\`${prefix}${name}\``, kindOf(member.schema), `\`${JSON.stringify(member.fallback)}\``, member.description]];
  });
}

function kindOf({ type, enum: options, minimum, maximum }: Schema): string {
  if (Array.isArray(options)) return options.map((option) => `\`${JSON.stringify(option)}\``).join(', ');
  if (minimum !== undefined) return `${minimum} to ${maximum}`;
  return String(type);
}
