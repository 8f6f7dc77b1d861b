// Certificates of the TLS listener: chosen by name, and replaced while connections are open.
import { mkdirSync, mkdtempSync, renameSync, rmSync, symlinkSync, unlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TLSSocket } from 'node:tls';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Certificates, type PairFiles } from '../../src/proxy/certificates.ts';
import { attachRuntime } from '../../src/runtime/attach.ts';
import { certificateFor, writePair } from '../support/certificates.ts';
import { frame } from '../support/frames.ts';
import { until } from '../support/ports.ts';
import { served, startProxy, type TestProxy } from '../support/proxy.ts';
import { type RawBackend, type RawPeer, rawBackend, SWITCHING, tlsConnect, upgradeHead } from '../support/raw-client.ts';

let folder: string;
let backend: RawBackend;
let proxy: TestProxy;
let watching: { close(): void };
let changes: string[];
let problems: string[];

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'socketpod-'));
  backend = await rawBackend();
  [changes, problems] = [[], []];
});

afterEach(async () => {
  watching.close();
  await proxy.stop();
  await backend.stop();
  rmSync(folder, { recursive: true });
});

async function start(files: readonly PairFiles[], pollMs?: number): Promise<void> {
  const certificates = await Certificates.read(files);
  watching = certificates.watch({ changed: (line) => changes.push(line), problem: (line) => problems.push(line) }, pollMs);
  proxy = await startProxy(attachRuntime('127.0.0.1', backend.port), [served('echo', { maxConnections: 200 })], { certificates });
}

/** The names of the certificate that a new client gets who asks for `servername`. */
async function namesFor(servername: string): Promise<string> {
  const { socket } = await tlsConnect(proxy.port, { servername });
  const { subjectaltname = '' } = (socket as TLSSocket).getPeerCertificate();
  socket.destroy();
  return subjectaltname;
}

describe('a name', () => {
  it('gets the certificate that has it, before a wildcard, and else the first one', async () => {
    await start([
      writePair(folder, 'default', await certificateFor('default.example')),
      writePair(folder, 'wild', await certificateFor('*.apps.example', 'apps.example')),
      writePair(folder, 'one', await certificateFor('one.apps.example')),
    ]);
    expect(await namesFor('default.example')).toBe('DNS:default.example');
    expect(await namesFor('one.apps.example')).toBe('DNS:one.apps.example');
    expect(await namesFor('ONE.apps.example')).toBe('DNS:one.apps.example');
    for (const name of ['two.apps.example', 'apps.example']) expect(await namesFor(name)).toBe('DNS:*.apps.example, DNS:apps.example');
    for (const name of ['', 'a.b.apps.example', 'other.example']) expect(await namesFor(name)).toBe('DNS:default.example');
  });
});

describe('a pair that changes', () => {
  it('holds for new connections, and 200 open ones go on', async () => {
    await start([writePair(folder, 'tls', await certificateFor('old.example')), writePair(folder, 'b', await certificateFor('b.example'))]);
    const open = await Promise.all(
      Array.from({ length: 200 }, async (_, i) => {
        const client = await tlsConnect(proxy.port, { servername: i % 2 ? 'old.example' : 'b.example' });
        client.send(upgradeHead());
        return client;
      }),
    );
    const functions = new Set<RawPeer>(); // under load a first try to connect may be given up for a second one
    await until('all are open', () => {
      for (const fn of backend.peers) {
        if (functions.has(fn) || !fn.received.includes('\r\n\r\n')) continue;
        functions.add(fn);
        fn.send(SWITCHING);
      }
      return open.every(({ received }) => received.includes('\r\n\r\n'));
    });
    await Promise.all([...open, ...functions].map((peer) => peer.head()));
    writePair(folder, 'tls', await certificateFor('new.example'));
    writePair(folder, 'b', await certificateFor('b.example', 'new-b.example'));
    await until('both were read again', () => changes.length === 2);
    expect(await namesFor('')).toBe('DNS:new.example');
    expect(await namesFor('old.example')).toBe('DNS:new.example');
    expect(await namesFor('b.example')).toBe('DNS:b.example, DNS:new-b.example');
    const ping = frame({ opcode: 9, payload: 'still there?', mask: true });
    for (const client of open) client.send(ping);
    await Promise.all([...functions].map(async (fn) => expect(await fn.take(ping.length)).toEqual(ping)));
    expect(open.some(({ closed, ended }) => closed || ended)).toBe(false);
    expect(proxy.records).toEqual([]);
    for (const { socket } of [...open, ...backend.peers]) socket.destroy();
    await proxy.ended(open.length);
  });

  it('may do so as a kubelet does it, by a link that is swapped', async () => {
    const write = async (version: string, name: string) => {
      mkdirSync(join(folder, version));
      writePair(join(folder, version), 'tls', await certificateFor(name));
      symlinkSync(version, join(folder, '..data_tmp'));
      renameSync(join(folder, '..data_tmp'), join(folder, '..data'));
    };
    await write('..1', 'old.example');
    for (const name of ['tls.crt', 'tls.key']) symlinkSync(join('..data', name), join(folder, name));
    await start([{ cert: join(folder, 'tls.crt'), key: join(folder, 'tls.key') }]);
    await write('..2', 'new.example');
    rmSync(join(folder, '..1'), { recursive: true });
    await until('it was read again', () => changes.length > 0);
    expect(await namesFor('')).toBe('DNS:new.example');
    expect(problems).toEqual([]);
  });

  it('is found by looking, where nothing tells of a change', async () => {
    const elsewhere = mkdtempSync(join(tmpdir(), 'socketpod-'));
    const files = writePair(folder, 'tls', await certificateFor('unused.example'));
    for (const [link, file] of [
      [files.cert, 'tls.crt'],
      [files.key, 'tls.key'],
    ] as const) {
      unlinkSync(link);
      symlinkSync(join(elsewhere, file), link);
    }
    writePair(elsewhere, 'tls', await certificateFor('old.example'));
    await start([files], 20);
    writePair(elsewhere, 'tls', await certificateFor('new.example')); // the folder with the links sees nothing of it
    await until('it was read again', () => changes.length > 0);
    expect(await namesFor('')).toBe('DNS:new.example');
    rmSync(elsewhere, { recursive: true });
  });

  it.each<[string, (files: PairFiles) => Promise<unknown> | unknown, RegExp]>([
    [
      'is no certificate',
      ({ cert }) => writeFileSync(cert, 'oops'),
      /^--tls-cert .*tls\.crt has no certificate in PEM; the certificate before/,
    ],
    [
      'is a broken one',
      ({ cert }) => writeFileSync(cert, '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n'),
      /no certificate in PEM \(/,
    ],
    ['has no key', ({ key }) => writeFileSync(key, ''), /^--tls-key .*tls\.key is not the key of --tls-cert .*tls\.crt, in PEM/],
    [
      "has another's key",
      async ({ key }) => writeFileSync(key, (await certificateFor('x')).key),
      /is not the key of .*\(ERR_OSSL_X509_KEY_VALUES_MISMATCH\)/,
    ],
    ['is gone', ({ cert }) => unlinkSync(cert), /^--tls-cert .*tls\.crt cannot be read: ENOENT; the certificate before it stays in use$/],
  ])('stays as it was if the new one %s, which is told once', async (_what, spoil, line) => {
    const files = writePair(folder, 'tls', await certificateFor('old.example'));
    await start([files], 20);
    await spoil(files);
    await until('it is told', () => problems.length > 0);
    expect(problems[0]).toMatch(line);
    expect(await namesFor('')).toBe('DNS:old.example');
    writePair(folder, 'tls', await certificateFor('new.example'));
    await until('a good one is taken', () => changes.length > 0);
    expect(await namesFor('')).toBe('DNS:new.example');
    expect(new Set(problems).size).toBe(problems.length);
  });
});
