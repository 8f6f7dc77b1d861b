// What the API server checks of any object's metadata before it looks at a schema (Kubernetes, "Object Names and IDs", "Labels and
// Selectors"). The rule on a function's own name is in schema.ts.
import type { Problem } from './problem.ts';

/** The fields of `metav1.ObjectMeta`; strict field validation refuses others. */
const FIELDS = [
  ...['name', 'generateName', 'namespace', 'selfLink', 'uid', 'resourceVersion', 'generation', 'creationTimestamp'],
  ...['deletionTimestamp', 'deletionGracePeriodSeconds', 'labels', 'annotations', 'ownerReferences', 'finalizers', 'managedFields'],
];

const DNS_LABEL = /^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/;
/** The part of a key after the slash, and a label's value where it is not empty. */
const WORD = /^[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?$/;
const SUBDOMAIN = /^(?=.{1,253}$)[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/;

/** All that is wrong with the metadata of an object. */
export function metadataProblems(metadata: unknown): Problem[] {
  if (metadata === undefined || metadata === null) return [{ path: 'metadata', message: 'missing; add metadata.name' }];
  if (!isMapping(metadata)) return [{ path: 'metadata', message: 'is not a mapping; write name and namespace under it' }];
  const { name, namespace, labels, annotations } = metadata;
  const problems: Problem[] = Object.keys(metadata)
    .filter((field) => !FIELDS.includes(field))
    .map((field) => ({ path: `metadata.${field}`, message: 'unknown field; what tools read goes to labels or annotations' }));
  if (name === undefined || name === null || name === '') {
    problems.push({ path: 'metadata.name', message: 'missing; give the function a name' });
  } else if (typeof name !== 'string') {
    problems.push({ path: 'metadata.name', message: `${JSON.stringify(name)} is not text; put it in quotes` });
  }
  if (namespace !== undefined && namespace !== null && !(typeof namespace === 'string' && DNS_LABEL.test(namespace))) {
    problems.push({ path: 'metadata.namespace', message: `${JSON.stringify(namespace)} is not a DNS label` });
  }
  return [...problems, ...textsProblems('labels', labels), ...textsProblems('annotations', annotations)];
}

/** Labels and annotations: keys with an optional prefix, text as values, which are words too in labels. */
function textsProblems(field: 'labels' | 'annotations', texts: unknown): Problem[] {
  const path = `metadata.${field}`;
  if (texts === undefined || texts === null) return [];
  if (!isMapping(texts)) return [{ path, message: 'is not a mapping of text to text' }];
  return Object.entries(texts).flatMap(([key, value]) => {
    const problems: Problem[] = [];
    // Annotation prefixes may have capitals.
    const [word = '', prefix, ...more] = (field === 'labels' ? key : key.toLowerCase()).split('/').reverse();
    if (!WORD.test(word) || more.length > 0 || (prefix !== undefined && !SUBDOMAIN.test(prefix))) {
      problems.push({ path, message: `the key ${JSON.stringify(key)} is not of the form name or example.com/name` });
    }
    if (value !== null && typeof value !== 'string') {
      problems.push({ path, message: `${JSON.stringify(value)} of ${key} is not text; put it in quotes` });
    } else if (field === 'labels' && value && !WORD.test(value)) {
      problems.push({
        path,
        message: `${JSON.stringify(value)} of ${key} is no label value: at most 63 letters, digits and -_. between them`,
      });
    }
    return problems;
  });
}

function isMapping(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
