// Reads the file of --ceilings.
import { type Ceilings, DEFAULT_CEILINGS, parseCeilings } from '../api/ceilings.ts';
import { UserError } from '../fault.ts';
import { readYaml } from './files.ts';

/** The ceilings of a file, or the default ones without a file. Throws a UserError that names field and remedy. */
export async function readCeilings(file: string | undefined): Promise<Ceilings> {
  if (file === undefined) return DEFAULT_CEILINGS;
  const ceilings = parseCeilings(await readYaml(file));
  if (Array.isArray(ceilings)) throw new UserError(ceilings.map(({ path, message }) => `${file}: ${path}: ${message}`).join('\n'));
  return ceilings;
}
