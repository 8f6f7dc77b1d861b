// Needs what install.sh brings: Python with websockets, Go and Chromium. test.sh builds the Go client before, outside the namespaces.
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { describe } from 'vitest';
import { runStillSending } from './still-sending.ts';

const here = (name: string) => join(import.meta.dirname, name);
const goClient = execFileSync(here('build.sh'), { encoding: 'utf8' }).trim();

describe('a client', () => {
  runStillSending([
    ['ws', process.execPath, here('ws.ts')],
    ["Python's websockets", 'python3', here('python.py')],
    ['coder/websocket of Go', goClient],
    ['Chromium', process.execPath, here('chromium.ts')],
  ]);
});
