// The data ports of `dev` by its options: TLS alone or beside the plain port, certificates, load balancers.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough, Writable } from 'node:stream';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { connect } from '../../src/cli/connect.ts';
import type { PairFiles } from '../../src/proxy/certificates.ts';
import { certificateFor, writePair } from '../support/certificates.ts';
import { type Dev, startDev } from '../support/dev.ts';
import { listenAnywhere, until } from '../support/ports.ts';
import { proxyHeader } from '../support/proxy-header.ts';
import { rawConnect, tlsConnect, upgradeHead } from '../support/raw-client.ts';

const ROOT = join(import.meta.dirname, '..', '..');
const EXAMPLE = join(ROOT, 'examples', 'node-echo', 'function.yaml');
let folder: string;
let pair: PairFiles;
let dev: Dev | undefined;

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'socketpod-'));
  pair = writePair(folder, 'tls', await certificateFor('proxy.example'));
});

afterEach(async () => {
  await dev?.stop();
  dev = undefined;
  rmSync(folder, { recursive: true });
});

const tlsOptions = () => ['--tls-listen', '127.0.0.1:0', '--tls-cert', pair.cert, '--tls-key', pair.key];
const urls = async () => (await dev?.event('function'))?.urls;

describe('dev with TLS', () => {
  it('alone prints wss:// URLs, which connect --insecure opens', async () => {
    dev = await startDev(['-f', EXAMPLE, '--listen', 'off', ...tlsOptions()]);
    const url = `wss://127.0.0.1:${dev.tlsPort}/default/node-echo`;
    expect(await urls()).toEqual([url]);
    expect((await dev.event('listening')).address).toBeUndefined();
    let printed = '';
    const output = new Writable({
      write(chunk, _encoding, done) {
        printed += chunk;
        done();
      },
    });
    const input = new PassThrough();
    const exit = connect(url, { insecure: true }, { input, output, error: new PassThrough().resume() });
    input.write('over TLS\n');
    await until('it is echoed', () => printed.includes('over TLS'));
    input.end();
    expect(await exit).toBe(0);
    await expect(connect(url, { insecure: false }, { input: new PassThrough(), output, error: new PassThrough().resume() })).resolves.toBe(
      1,
    );
  });

  it('beside the plain port prints ws:// URLs, and both are open', async () => {
    dev = await startDev(['-f', EXAMPLE, ...tlsOptions()]);
    expect(await urls()).toEqual([`ws://127.0.0.1:${dev.port}/default/node-echo`]);
    for (const client of [await rawConnect(dev.port), await tlsConnect(dev.tlsPort)]) {
      client.send(upgradeHead('/default/none'));
      expect(await client.head()).toContain(' 404 ');
      client.socket.destroy();
    }
  });

  it('tells of a certificate that was replaced, and of one that cannot be', async () => {
    dev = await startDev(['-f', EXAMPLE, ...tlsOptions()]);
    writePair(folder, 'tls', await certificateFor('new.example'));
    expect((await dev.event('changed')).line).toMatch(/tls\.crt was read again: DNS:new\.example, until /);
    writeFileSync(pair.key, 'oops');
    expect((await dev.event('problem')).problem).toMatch(
      /--tls-key .*tls\.key is not the key of .*; the certificate before it stays in use$/,
    );
  });
});

it('dev believes its load balancers alone, and asks them for a PROXY protocol header', async () => {
  const ours = ['--trusted-proxies', '10.0.0.0/8, 127.0.0.1', '--proxy-protocol', '--max-connections-per-address', '1'];
  dev = await startDev(['-f', EXAMPLE, ...ours]);
  const [first, second, other] = await Promise.all([rawConnect(dev.port), rawConnect(dev.port), rawConnect(dev.port)]);
  first.send(Buffer.concat([proxyHeader(), Buffer.from(upgradeHead('/default/node-echo'))]));
  expect(await first.head()).toContain(' 101 ');
  second.send(proxyHeader());
  await second.untilClosed();
  other.send(upgradeHead());
  await other.untilClosed();
  expect(second.received.length + other.received.length).toBe(0);
  first.socket.destroy();
  expect(await dev.event('end')).toMatchObject({ clientAddress: '203.0.113.9' });
});

describe('bad options are one line', () => {
  const listening = ['--tls-listen', '127.0.0.1:0'];
  it.each<[string, () => string[] | Promise<string[]>, RegExp]>([
    ['no port at all', () => ['--listen', 'off'], /with --listen off there is no data port; give --tls-listen/],
    ['TLS without a certificate', () => listening, /--tls-listen needs a certificate; give --tls-cert FILE and --tls-key FILE/],
    ['a certificate without a port', () => ['--tls-cert', pair.cert, '--tls-key', pair.key], /--tls-cert needs a port; give --tls-listen/],
    ['a certificate without a key', () => [...listening, '--tls-cert', pair.cert], /--tls-cert is given 1 times and --tls-key 0 times/],
    [
      'a file that is not there',
      () => [...listening, '--tls-cert', '/none', '--tls-key', pair.key],
      /--tls-cert \/none cannot be read: ENOENT/,
    ],
    [
      'a key that does not fit',
      async () => [...tlsOptions().slice(0, 4), '--tls-key', writePair(folder, 'other', await certificateFor('x')).key],
      /--tls-key .*other\.key is not the key of --tls-cert .*tls\.crt/,
    ],
    [
      'PROXY protocol of nobody',
      () => ['--proxy-protocol'],
      /--proxy-protocol holds for trusted proxies alone; name them with --trusted-proxies/,
    ],
    [
      'a range that is none',
      () => ['--trusted-proxies', '10.0.0.0/8,lb.example'],
      /"lb\.example" is not a CIDR block, as in 10\.0\.0\.0\/8/,
    ],
    [
      'a TLS port in use',
      async () => {
        const taken = createServer().unref();
        return [...tlsOptions().slice(2), '--tls-listen', `127.0.0.1:${await listenAnywhere(taken)}`];
      },
      /is in use by another program; choose another address with --tls-listen/,
    ],
  ])('%s', async (_name, args, words) => {
    const main = [join(ROOT, 'src', 'main.ts'), 'dev', '-f', EXAMPLE, '--listen', '127.0.0.1:0', ...(await args())];
    const { status, stderr } = spawnSync(process.execPath, main, { encoding: 'utf8' });
    expect(stderr).toMatch(words);
    expect(stderr).not.toMatch(/\n {4}at /);
    expect(status).toBe(1);
  });
});
