// The terminal's page in a real browser, opened as a file, on the real `socketpod dev`: what a user types, sees and is told.
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { Browser } from '../support/browser.ts';
import { type Dev, startDev } from '../support/dev.ts';
import { until } from '../support/ports.ts';

const EXAMPLE = join(import.meta.dirname, '..', '..', 'examples', 'terminal');
const KEY = 'try-the-terminal';
/** Where pictures go, if anybody wants them. */
const PICTURES = process.env.SOCKETPOD_PICTURES;

let folder: string;
let dev: Dev;
let browser: Browser;

/** The example's function with one thing changed, under another name. */
function variant(name: string, spec: object): void {
  const object = parse(readFileSync(join(EXAMPLE, 'function.yaml'), 'utf8'));
  object.metadata.name = name;
  Object.assign(object.spec, spec);
  writeFileSync(join(folder, `${name}.json`), JSON.stringify(object));
}

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'socketpod-terminal-'));
  mkdirSync(join(folder, 'home'));
  writeFileSync(join(folder, 'home', '.bashrc'), "PS1='$ '\n");
  symlinkSync(join(EXAMPLE, 'server.py'), join(folder, 'server.py'));
  process.env.TERMINAL_SHELL = '/bin/bash';
  process.env.HOME = join(folder, 'home');
  variant('terminal', {});
  variant('short', { idleTimeoutSeconds: 10 });
  variant('off', { maxConnections: 0, warmPods: 0 });
  dev = await startDev(['-f', folder]);
}, 30_000);

afterAll(async () => {
  await dev?.stop();
  rmSync(folder, { recursive: true });
});

beforeEach(async () => {
  browser = await Browser.start();
  await browser.resize(1000, 640);
}, 60_000);

afterEach(async () => {
  expect(browser.complaints).toEqual([]);
  await browser.stop();
});

const address = (name: string) => `ws://127.0.0.1:${dev.port}/default/${name}`;
const state = () => browser.value<string>('document.body.dataset.state');
const inState = (wanted: string) => until(`the page is ${wanted}`, async () => (await state()) === wanted, 30_000);
const textOf = (id: string) => browser.value<string>(`document.getElementById('${id}').textContent`);
const endShown = async () => ({
  code: await textOf('code'),
  title: await textOf('title'),
  text: await textOf('text'),
  detail: await textOf('detail'),
});

/** All lines of the terminal. */
const screen = () =>
  browser.value<string>(
    `((b) => Array.from({ length: b.length }, (_, i) => b.getLine(i).translateToString(true)).join('\\n').trimEnd())(terminal.buffer.active)`,
  );
const sizeShown = () => browser.value<string>(`terminal.rows + ' ' + terminal.cols`);
const shows = (pattern: RegExp) => until(`the terminal shows ${pattern}`, async () => pattern.test(await screen()), 20_000);

async function picture(name: string): Promise<void> {
  if (PICTURES) writeFileSync(join(PICTURES, `${name}.png`), await browser.picture());
}

/** Opens the page as a file, fills its form by hand and submits it. */
async function openPage(name: string, key = KEY): Promise<void> {
  await browser.open(`${pathToFileURL(join(EXAMPLE, 'index.html'))}#${address(name)}`);
  await browser.click('#key');
  await browser.type(key);
  await browser.click('#button');
}

describe('the page of the terminal', () => {
  it('shows a shell, its size follows the window, and its end', async () => {
    await openPage('terminal');
    await inState('open');
    await shows(/^\$/m);
    await browser.type('echo "sum=$((40+2)) grüße 猫"; stty size\n');
    await shows(/^sum=42 grüße 猫$/m);
    const size = await sizeShown();
    await shows(new RegExp(`^${size}$`, 'm'));
    await browser.type('\x0c');
    await picture('open');
    await browser.resize(700, 420);
    await until('the terminal is smaller', async () => ((await browser.value('terminal.cols')) as number) < Number(size.split(' ')[1]));
    await browser.type('stty size\n');
    await shows(new RegExp(`^${await sizeShown()}$`, 'm'));

    await browser.type('exit 3\n');
    await inState('ended');
    expect(await endShown()).toEqual({
      code: '439',
      title: 'The shell ended',
      text: 'The shell exited with status 3.',
      detail: 'close code 4003',
    });
    expect(await dev.event('end', ({ reason }) => reason === 'function_close_code')).toMatchObject({ code: 439 });
    await browser.press({ key: 'Enter', text: '\r', windowsVirtualKeyCode: 13 }); // Reconnect has the focus
    await inState('open');
    await browser.type('exit\n');
    await inState('ended');
    expect(await endShown()).toMatchObject({ code: '200', title: 'The shell ended', text: 'The shell exited.' });
  });

  it('takes a paste whole, copies, and keeps up with a flood', async () => {
    await openPage('terminal');
    await inState('open');
    await browser.type('wc -c\n');
    await shows(/wc -c/);
    await browser.value(`(() => {
      const data = new DataTransfer();
      data.setData('text/plain', ('0123456789abcdef'.repeat(4) + '\\n').repeat(5000));
      document.querySelector('.xterm-helper-textarea').dispatchEvent(new ClipboardEvent('paste', { clipboardData: data, bubbles: true }));
    })()`);
    await browser.press({ key: 'd', code: 'KeyD', modifiers: 2, windowsVirtualKeyCode: 68 });
    await shows(/^325000$/m);
    await browser.type('yes flood | head -c 30000000; echo; echo end-$((1+1))\n');
    await shows(/^end-2$/m);
    await browser.type('yes\n');
    await shows(/^y$/m);
    await browser.press({ key: 'c', code: 'KeyC', modifiers: 2, windowsVirtualKeyCode: 67 });
    await shows(/\^C/);
    await browser.type('echo calm-$((1+1))\n');
    await shows(/^calm-2$/m);
    await browser.value('terminal.selectAll()');
    await browser.press({ key: 'C', code: 'KeyC', modifiers: 10, windowsVirtualKeyCode: 67 });
    await browser.call('Browser.grantPermissions', { permissions: ['clipboardReadWrite'] });
    expect(await browser.value<string>('navigator.clipboard.readText()')).toMatch(/\^C\n.*\ncalm-2\n/);
  });

  it('tells an idle timeout', async () => {
    await openPage('short');
    await inState('open');
    await inState('ended');
    expect(await endShown()).toEqual({
      code: '455',
      title: 'idle timeout',
      text: 'No data either way for idleTimeoutSeconds.',
      detail: 'close code 1001',
    });
    await picture('idle-timeout');
  });

  it.each([
    ['a wrong key', 'terminal', 'wrong', '401', 'bad credentials', 1008],
    ['a function that is full', 'off', KEY, '432', 'max connections', 1013],
  ])('tells a refusal: %s', async (_what, name, key, code, title, closeCode) => {
    await openPage(name, key);
    await inState('ended');
    const shown = await endShown();
    expect(shown).toMatchObject({ code, title });
    expect(shown.detail).toMatch(new RegExp(`^close code ${closeCode}, request id \\w+`));
  });

  it('says that a browser does not tell why, where nobody listens', async () => {
    await browser.open(`${pathToFileURL(join(EXAMPLE, 'index.html'))}#ws://127.0.0.1:1/x`);
    await browser.click('#button');
    await inState('ended');
    expect(await endShown()).toMatchObject({ code: '', title: 'No connection' });
    browser.complaints.length = 0; // the browser's own line about it
  });

  it('disconnects when it is asked to, and keeps the key in the tab', async () => {
    await openPage('terminal');
    await inState('open');
    await browser.click('#button');
    await inState('ended');
    expect(await endShown()).toMatchObject({ code: '200', title: 'You disconnected' });
    expect(await browser.value('location.hash')).toBe(`#${address('terminal')}`);
    await browser.value('location.reload()');
    await until('the page is loaded again', async () => (await browser.value(`document.body?.dataset.state`)) === 'idle');
    expect(await browser.value('[key.value, sessionStorage.length, localStorage.length]')).toEqual([KEY, 1, 0]);
  });
});
