// Which namespaces may claim which hosts: the operator's word, one file for proxy and controller (contract part 6).
import { mappingOf, type Problem, shown } from './problem.ts';
import { ROUTE } from './schema-access.ts';

/** These hosts may be claimed by functions of these namespaces. */
export interface HostRule {
  /** Exact, `*.x` (all names under x, and the wildcards among them) or `*`. */
  readonly hosts: readonly string[];
  /** Names, or `*`. */
  readonly namespaces: readonly string[];
}

/** All rules: no other host may be claimed. Undefined: every host may be, by everybody. */
export type HostRules = readonly HostRule[] | undefined;

const HOST = new RegExp(ROUTE.properties?.hosts?.items?.pattern ?? '');
const NAMESPACE = /^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/;

/** Reads a file of host rules: a list of `{hosts: [...], namespaces: [...]}`. @returns the rules, or what is wrong, by path */
export function parseHostRules(value: unknown): { readonly rules: readonly HostRule[] } | { readonly problems: readonly Problem[] } {
  if (!Array.isArray(value)) return { problems: [{ path: '', message: `${shown(value)} is not a list of {hosts, namespaces}` }] };
  const problems: Problem[] = [];
  const rules = value.map((item, i): HostRule => {
    const path = `[${i}]`;
    const { hosts, namespaces } = mappingOf(item, path, ['hosts', 'namespaces'], problems);
    return {
      hosts: words(hosts, `${path}.hosts`, HOST, 'a host in lower case, *.x or *', problems),
      namespaces: words(namespaces, `${path}.namespaces`, NAMESPACE, 'a name of a namespace or *', problems),
    };
  });
  return problems.length > 0 ? { problems } : { rules };
}

function words(value: unknown, path: string, fits: RegExp, what: string, problems: Problem[]): string[] {
  if (!Array.isArray(value) || value.length === 0) {
    problems.push({ path, message: `${shown(value)} is not a list of at least one` });
    return [];
  }
  value.forEach((word, i) => {
    if (word !== '*' && !(typeof word === 'string' && fits.test(word)))
      problems.push({ path: `${path}[${i}]`, message: `${shown(word)} is not ${what}` });
  });
  return value.map(String);
}

/** The hosts among these that functions of a namespace may not claim. */
export function deniedHosts(hosts: readonly string[], namespace: string, rules: HostRules): string[] {
  if (!rules) return [];
  const own = rules.filter(({ namespaces }) => namespaces.includes('*') || namespaces.includes(namespace));
  return hosts.filter((host) => !own.some((rule) => rule.hosts.some((pattern) => covers(pattern, host))));
}

/** Does a pattern stand for this host? `*.x` is for what is under x, as in a route, and for the wildcards there. */
function covers(pattern: string, host: string): boolean {
  return pattern === '*' || pattern === host || (pattern.startsWith('*.') && host.endsWith(pattern.slice(1)));
}
