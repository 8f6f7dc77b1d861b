// No token is ever seen again: in all that a real `dev` prints, in its metrics, at its admin port, and in what functions get and say.
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { until } from '../support/ports.ts';
import { rawConnect, upgradeHead } from '../support/raw-client.ts';
import { apiKey, claims, inSeconds, jwtAuth, part, signingKey, token } from '../support/tokens.ts';

const ROOT = join(import.meta.dirname, '..', '..');
/** Says all that it gets, to its client too; `dies` says it as its last words. */
const FUNCTION = `
  import { createServer } from "node:http";
  createServer().on("upgrade", (request, socket) => {
    const all = "saw " + request.url + " " + JSON.stringify(request.rawHeaders);
    console.log(all);
    if (process.env.DIES) { console.error(all); process.exit(9); }
    socket.end("HTTP/1.1 403 No\\r\\nContent-Length: " + all.length + "\\r\\n\\r\\n" + all);
  }).listen(process.env.PORT);`;

const key = signingKey('ES256', 'e');
const ci = apiKey('ci');
const auth = { apiKeys: [ci.entry], jwt: jwtAuth([key], { role: 'admin' }) };
const admin = { role: 'admin' };
/** Tokens by what they are worth. */
const TOKENS: readonly [status: number, token: string][] = [
  [403, ci.key], // let in: 403 is the answer of the function
  [403, token(key, claims(admin))],
  [403, token(key, claims())], // refused: no claim
  [401, apiKey('stranger').key],
  [401, token(key, claims({ ...admin, exp: inSeconds(-3600) }))],
  [401, token(key, claims(admin), { header: { kid: 'unknown', crit: ['told'], told: 1 } })],
  [401, token(signingKey('ES256', 'e'), claims(admin))],
  [401, `${part('no header')}.${part(claims())}.AAAA`],
  [401, '%1b[31m.words-that-nobody-knows'],
];

let folder: string;
let child: ChildProcess | undefined;
let output = '';

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'socketpod-'));
  output = '';
});

afterEach(async () => {
  child?.kill('SIGTERM');
  await until('dev has ended', () => child === undefined || child.exitCode !== null || child.signalCode !== null);
  rmSync(folder, { recursive: true });
});

function functionFile(name: string, env: readonly object[]): string {
  const container = { name: 'f', command: [process.execPath, '--input-type=module', '-e', FUNCTION], env };
  return JSON.stringify({
    apiVersion: 'socketpod.dev/v1alpha1',
    kind: 'WebSocketFunction',
    metadata: { name },
    spec: { auth, template: { spec: { containers: [container] } } },
  });
}

/** Starts `dev` with everything that it prints kept. */
async function startDev(args: readonly string[]): Promise<{ port: number; admin: string }> {
  writeFileSync(join(folder, 'says.yaml'), functionFile('says', []));
  writeFileSync(join(folder, 'dies.yaml'), functionFile('dies', [{ name: 'DIES', value: '1' }]));
  const listen = ['--listen', '127.0.0.1:0', '--admin', '127.0.0.1:0'];
  child = spawn(process.execPath, [join(ROOT, 'src', 'main.ts'), 'dev', ...listen, '-f', folder, ...args], { cwd: ROOT });
  for (const stream of [child.stdout, child.stderr]) stream?.on('data', (chunk) => (output += chunk));
  const listening = () => /listening[\s\S]*?127\.0\.0\.1:(\d+)[\s\S]*?127\.0\.0\.1:(\d+)/.exec(output);
  await until('dev listens and serves', () => output.includes('/dies') && output.includes('/says') && listening() !== null);
  const at = listening();
  return { port: Number(at?.[1]), admin: `http://127.0.0.1:${at?.[2]}` };
}

/** Sends an upgrade request; gives all that came back. */
async function attempt(port: number, target: string, lines: readonly string[]): Promise<string> {
  const client = await rawConnect(port);
  client.send(upgradeHead(target, lines));
  await client.untilClosed();
  client.socket.destroy();
  return client.received.toString('latin1');
}

/** What of a token must not be seen: the whole, and each part of it that is long enough to be told from chance. */
function traces(secret: string): string[] {
  return [secret, ...secret.split('.').filter((one) => one.length > 16)];
}

describe('a token', () => {
  it.each([
    ['an object', ['--json']],
    ['words', []],
  ])('is seen in no output, no metric and no request, with %s a line', async (_what, args) => {
    const { port, admin } = await startDev(args);
    const answers: string[] = [];
    for (const [status, secret] of TOKENS) {
      const escaped = secret.replace('k', '%6b');
      for (const [target, lines] of [
        ['/default/says', [`Authorization: Bearer ${secret}`]],
        [`/default/says?a=1&access_token=${secret}`, []],
        [`/default/says?acc%65ss_token=${escaped}`, ['Authorization: Basic dTpw']],
      ] as const) {
        const answer = await attempt(port, target, lines);
        answers.push(answer);
        expect([target, lines, answer.split(' ')[1]]).toEqual([target, lines, String(status)]);
      }
    }
    expect(answers.filter((answer) => answer.includes('saw /default/says'))).toHaveLength(6);
    answers.push(await attempt(port, `/default/dies?access_token=${ci.key}`, []));
    answers.push(await attempt(port, '/default/dies', [`Authorization: Bearer ${TOKENS[1]?.[1]}`]));
    await until('the last words are told', () => output.split('saw /default/dies').length > 2);

    const [metrics, connections] = await Promise.all(['/metrics', '/connections'].map(async (path) => (await fetch(admin + path)).text()));
    expect(metrics).toContain('reason="bad_credentials"');
    if (args.length > 0) expect(output).toContain('"access":"ci"');
    const everything = [output, metrics, connections, ...answers].join('\n');
    const seen = TOKENS.flatMap(([, secret]) => traces(secret)).filter((trace) => everything.includes(trace));
    expect(seen).toEqual([]);
  });
});
