// examples/terminal/index.html: page.html with its style and script, xterm.js and what the platform's close texts mean, in one file
// that needs nothing else, so that it can be opened as a file.
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { closeText, OUTCOMES, type Outcome, type Reason } from '../../src/core/outcome.ts';

const ROOT = join(import.meta.dirname, '..', '..');
const read = (path: string) => readFileSync(join(ROOT, path), 'utf8');

/** The text of the page. */
export function terminalPage(): string {
  const styles = `${read('node_modules/@xterm/xterm/css/xterm.css')}\n${read('examples/terminal/page/page.css')}`;
  const scripts = [
    `${licence('@xterm/xterm')}\n${classOf('@xterm/xterm/lib/xterm.mjs', 'Terminal')}`,
    `${licence('@xterm/addon-fit')}\n${classOf('@xterm/addon-fit/lib/addon-fit.mjs', 'FitAddon')}`,
    `const MEANINGS = ${JSON.stringify(meanings(), null, 1)};`,
    read('examples/terminal/page/page.js'),
  ].map((text) => `\n${text.trimEnd()}\n`);
  const hashes = scripts.map((text) => `'sha256-${createHash('sha256').update(text).digest('base64')}'`);
  // Of scripts only these; xterm.js makes style sheets of its own.
  const policy = `default-src 'none'; script-src ${hashes.join(' ')}; style-src 'unsafe-inline'; connect-src ws: wss:`;
  const tags = scripts.map((text) => `<script>${whole(text)}</script>`);
  return read('examples/terminal/page/page.html')
    .replace(
      '<!doctype html>\n',
      () => '<!doctype html>\n<!-- Made by `npm run generate` of the files in page/ and of xterm.js; do not edit. -->\n',
    )
    .replace('<title>', () => `<meta http-equiv="Content-Security-Policy" content="${policy}" />\n    <title>`)
    .replace(/ *\/\* page\.css \*\//, () => styles.trimEnd())
    .replace('  </body>', () => `${tags.join('\n')}\n  </body>`);
}

/** A script must not end its own element. */
function whole(script: string): string {
  if (/<\/script|<!--/i.test(script)) throw new Error('a script has </script or <!-- in it');
  return script;
}

function licence(name: string): string {
  return `/*!\n${name} ${JSON.parse(read(`node_modules/${name}/package.json`)).version}\n${read(`node_modules/${name}/LICENSE`)}*/`;
}

/** What a module exports under one name, as a global of a classic script: pages opened as a file cannot import. */
function classOf(path: string, name: string): string {
  const match = /^([\s\S]*)export\{(\w+) as (\w+)\};\s*\/\/# sourceMappingURL=.*\s*$/.exec(read(`node_modules/${path}`));
  if (!match || match[3] !== name) throw new Error(`${path} does not end with the export of ${name} alone`);
  return `const ${name} = (() => {\n${match[1]}\nreturn ${match[2]};\n})();`;
}

/** What the platform writes into a close frame, and its cause; several reasons may have the same text. */
function meanings(): Record<string, string> {
  const texts: Record<string, string> = {};
  for (const [reason, { code, cause }] of Object.entries(OUTCOMES) as [Reason, Outcome][]) {
    if (code === 200) continue;
    const text = closeText(reason);
    texts[text] = texts[text] === undefined ? cause : `${texts[text]}, or ${cause}`;
  }
  return texts;
}
