// The version of this package, said once: in package.json.
import { readFileSync } from 'node:fs';

/** As in `0.2.0`. */
export const VERSION: string = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')).version;
