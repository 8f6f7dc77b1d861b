// Reads the operator's files: --ceilings and --host-rules.
import { type Ceilings, DEFAULT_CEILINGS, parseCeilings } from '../api/ceilings.ts';
import { type HostRules, parseHostRules } from '../api/host-rules.ts';
import type { Problem } from '../api/problem.ts';
import { UserError } from '../fault.ts';
import { readYaml } from './files.ts';

/** The ceilings of a file, or the default ones without a file. Throws a UserError that names field and remedy. */
export async function readCeilings(file: string | undefined): Promise<Ceilings> {
  if (file === undefined) return DEFAULT_CEILINGS;
  const ceilings = parseCeilings(await readYaml(file));
  if (Array.isArray(ceilings)) throw fault(file, ceilings);
  return ceilings;
}

/** The host rules of a file; without a file there are none. Throws a UserError that names the place and the remedy. */
export async function readHostRules(file: string | undefined): Promise<HostRules> {
  if (file === undefined) return undefined;
  const parsed = parseHostRules(await readYaml(file));
  if ('problems' in parsed) throw fault(file, parsed.problems);
  return parsed.rules;
}

function fault(file: string, problems: readonly Problem[]): UserError {
  return new UserError(problems.map(({ path, message }) => `${file}: ${path}: ${message}`).join('\n'));
}
