// What no function needs and one process for many must not be made to swallow: the API server lets a template of any depth pass, and of
// over a megabyte. Nothing here recurses, as the stack ends at some thousand levels.
import type { Problem } from './problem.ts';

/** Levels of lists and mappings in an object; a pod's own fields have less than twenty. */
const MOST_LEVELS = 64;
/** Bytes of a template as JSON: a proxy may have a thousand creates of it under way. */
const MOST_TEMPLATE_BYTES = 131_072;

/** Why an object is too much to be looked at any closer; undefined: it is not. */
export function tooMuch(object: { readonly spec?: { readonly template?: unknown } | null }): Problem | undefined {
  if (levelsOver(object, MOST_LEVELS)) {
    return { path: 'spec', message: `lists and mappings are nested more than ${MOST_LEVELS} deep; no field of a pod is` };
  }
  const bytes = Buffer.byteLength(JSON.stringify(object.spec?.template) ?? '');
  if (bytes <= MOST_TEMPLATE_BYTES) return undefined;
  const remedy = `use at most ${MOST_TEMPLATE_BYTES}, and put large data into a ConfigMap or the image`;
  return { path: 'spec.template', message: `has ${bytes} bytes as JSON; ${remedy}` };
}

function levelsOver(value: unknown, most: number): boolean {
  let level = [value];
  for (let depth = 0; level.length > 0; depth++) {
    if (depth > most) return true;
    level = level.flatMap((one) => (typeof one === 'object' && one !== null ? Object.values(one) : []));
  }
  return false;
}
