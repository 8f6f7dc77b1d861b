// The form of a structural schema, and how an object schema is tied to a type by the compiler.

/** A CEL rule (`x-kubernetes-validations`). The message names the remedy; `fieldPath` the field at fault. */
export interface Rule {
  readonly rule: string;
  readonly message: string;
  readonly fieldPath?: string;
  readonly reason?: 'FieldValueInvalid' | 'FieldValueForbidden' | 'FieldValueRequired';
}

/** The parts of JSON schema that a CustomResourceDefinition may use and this one does. */
export interface Schema {
  readonly type?: 'object' | 'array' | 'string' | 'integer' | 'boolean';
  readonly description?: string;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly required?: readonly string[];
  readonly items?: Schema;
  readonly additionalProperties?: Schema;
  readonly enum?: readonly string[];
  readonly default?: unknown;
  readonly pattern?: string;
  readonly format?: 'date-time' | 'int64' | 'int32';
  readonly minimum?: number;
  readonly maximum?: number;
  readonly minLength?: number;
  readonly maxLength?: number;
  readonly minItems?: number;
  readonly maxItems?: number;
  readonly maxProperties?: number;
  readonly 'x-kubernetes-preserve-unknown-fields'?: true;
  readonly 'x-kubernetes-int-or-string'?: true;
  readonly 'x-kubernetes-list-type'?: 'map' | 'set' | 'atomic';
  readonly 'x-kubernetes-list-map-keys'?: readonly string[];
  readonly 'x-kubernetes-validations'?: readonly Rule[];
}

/** The properties of T, each with its schema, none left out. */
export type PropertiesOf<T> = { readonly [K in keyof Required<T>]: Schema };

/** An object schema with exactly the fields of T. */
export function objectOf<T>(properties: PropertiesOf<T>, required: readonly (keyof T & string)[], more: Partial<Schema> = {}): Schema {
  return { type: 'object', ...more, properties, ...(required.length > 0 ? { required } : {}) };
}
