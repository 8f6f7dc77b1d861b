// A real Chromium that a test drives like a person: it opens a page, types, resizes, looks and takes a picture (DevTools protocol).
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { WebSocket } from 'ws';
import { FLAGS } from './chromium.ts';
import { until } from './ports.ts';

/** An answer or event of the DevTools protocol. */
interface Told {
  readonly id?: number;
  readonly method?: string;
  readonly params?: Record<string, unknown>;
  readonly result?: Record<string, unknown>;
  readonly error?: { readonly message: string };
}

/** A browser with one page. */
export class Browser {
  readonly #process: ChildProcess;
  readonly #socket: WebSocket;
  readonly #profile: string;
  readonly #answers = new Map<number, (told: Told) => void>();
  /** What pages wrote to the console as a warning or an error, and exceptions that nobody caught. */
  readonly complaints: string[] = [];
  #session = '';
  #calls = 0;

  private constructor(process: ChildProcess, socket: WebSocket, profile: string) {
    this.#process = process;
    this.#socket = socket;
    this.#profile = profile;
    socket.on('message', (text) => this.#hear(JSON.parse(String(text))));
  }

  /** Starts it with an empty profile. */
  static async start(): Promise<Browser> {
    const profile = mkdtempSync(join(tmpdir(), 'socketpod-chromium-'));
    const args = [...FLAGS, '--remote-debugging-port=0', `--user-data-dir=${profile}`, 'about:blank'];
    const child = spawn('chromium', args, { stdio: ['ignore', 'ignore', 'pipe'] });
    const address = new Promise<string>((resolve, reject) => {
      child.once('error', reject);
      child.once('exit', (code) => reject(new Error(`chromium ended with ${code}`)));
      createInterface({ input: child.stderr as Readable }).on('line', (line) => {
        const found = /^DevTools listening on (\S+)/.exec(line)?.[1];
        if (found) resolve(found);
      });
    });
    const socket = new WebSocket(await address);
    await once(socket, 'open');
    const browser = new Browser(child, socket, profile);
    const { targetId } = await browser.call('Target.createTarget', { url: 'about:blank' });
    const { sessionId } = await browser.call('Target.attachToTarget', { targetId, flatten: true });
    browser.#session = String(sessionId);
    for (const domain of ['Page', 'Runtime', 'Log']) await browser.call(`${domain}.enable`);
    return browser;
  }

  /** One call of the protocol. */
  async call(method: string, params: object = {}): Promise<Record<string, unknown>> {
    const id = ++this.#calls;
    const answer = new Promise<Told>((resolve) => this.#answers.set(id, resolve));
    this.#socket.send(JSON.stringify({ id, method, params, ...(this.#session === '' ? {} : { sessionId: this.#session }) }));
    const { error, result } = await answer;
    if (error) throw new Error(`${method}: ${error.message}`);
    return result ?? {};
  }

  /** Opens a page and waits until it has loaded. */
  async open(url: string): Promise<void> {
    await this.call('Page.navigate', { url });
    await until(`${url} is loaded`, () => this.value(`document.readyState === 'complete' && location.href !== 'about:blank'`));
  }

  /** The value of an expression in the page. */
  async value<T>(expression: string): Promise<T> {
    const { result, exceptionDetails } = await this.call('Runtime.evaluate', { expression, returnByValue: true, awaitPromise: true });
    if (exceptionDetails) throw new Error(`${expression}: ${JSON.stringify(exceptionDetails)}`);
    return (result as { value: T }).value;
  }

  /** Types a text with the keys that have it; \n is Enter. */
  async type(text: string): Promise<void> {
    for (const char of text)
      await this.press(char === '\n' ? { key: 'Enter', text: '\r', windowsVirtualKeyCode: 13 } : { key: char, text: char });
  }

  /** Presses one key (Input.dispatchKeyEvent). */
  async press(key: object): Promise<void> {
    await this.call('Input.dispatchKeyEvent', { type: 'keyDown', ...key });
    await this.call('Input.dispatchKeyEvent', { type: 'keyUp', ...key });
  }

  /** Clicks into the middle of an element. */
  async click(selector: string): Promise<void> {
    const at = await this.value<{ x: number; y: number }>(
      `(({ left, top, width, height }) => ({ x: left + width / 2, y: top + height / 2 }))(document.querySelector('${selector}').getBoundingClientRect())`,
    );
    for (const type of ['mousePressed', 'mouseReleased']) {
      await this.call('Input.dispatchMouseEvent', { type, ...at, button: 'left', clickCount: 1 });
    }
  }

  /** Gives the window another size, in pixels. */
  async resize(width: number, height: number): Promise<void> {
    await this.call('Emulation.setDeviceMetricsOverride', { width, height, deviceScaleFactor: 1, mobile: false });
  }

  /** A picture of the page (PNG). */
  async picture(): Promise<Buffer> {
    return Buffer.from(String((await this.call('Page.captureScreenshot', { format: 'png' })).data), 'base64');
  }

  /** Ends it and forgets its profile. */
  async stop(): Promise<void> {
    this.#process.kill('SIGKILL');
    if (this.#process.exitCode === null && this.#process.signalCode === null) await once(this.#process, 'exit');
    rmSync(this.#profile, { recursive: true, force: true, maxRetries: 10 });
  }

  #hear(told: Told): void {
    if (told.id !== undefined) {
      this.#answers.get(told.id)?.(told);
      this.#answers.delete(told.id);
    } else if (told.method === 'Runtime.exceptionThrown' || told.method === 'Log.entryAdded') {
      this.complaints.push(JSON.stringify(told.params));
    }
  }
}
