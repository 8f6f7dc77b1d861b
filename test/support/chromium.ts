// A page in a real Chromium: it runs a script and posts one result.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { listenAnywhere } from './ports.ts';

/** How a Chromium is started for a test. */
export const FLAGS = [
  '--headless=new',
  '--no-sandbox',
  '--disable-gpu',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

/**
 * Runs a script in a page and gives what it passes to `done(text)`.
 * @param script the body of an async function
 */
export async function inChromium(script: string, withinMs = 60_000): Promise<string> {
  const page = `<!doctype html><script>
    const done = (text) => fetch('/result', { method: 'POST', body: text });
    (async () => { ${script} })().catch((error) => done('failed: ' + error));
  </script>`;
  let told: (text: string) => void = () => {};
  const result = new Promise<string>((resolve) => {
    told = resolve;
  });
  const server = createServer(async (request, response) => {
    if (request.method === 'POST') told((await request.setEncoding('utf8').toArray()).join(''));
    response.setHeader('Content-Type', 'text/html').end(request.url === '/' ? page : '');
  });
  const port = await listenAnywhere(server);
  const profile = mkdtempSync(join(tmpdir(), 'socketpod-chromium-'));
  const browser = spawn('chromium', [...FLAGS, `--user-data-dir=${profile}`, `http://127.0.0.1:${port}/`], { stdio: 'ignore' });
  const failed = once(browser, 'exit').then(() => 'the browser ended first');
  const late = new AbortController();
  try {
    const timeout = once(AbortSignal.any([AbortSignal.timeout(withinMs), late.signal]), 'abort').then(
      () => 'the page said nothing in time',
    );
    return await Promise.race([result, failed, timeout]);
  } finally {
    late.abort();
    browser.kill('SIGKILL');
    await failed;
    server.closeAllConnections();
    server.close();
    rmSync(profile, { recursive: true, force: true, maxRetries: 10 });
  }
}
