// What a client sends cannot write into what `dev` prints: every line stays one line, of characters that can be printed.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { attachedDev } from '../support/attached.ts';
import { until } from '../support/ports.ts';
import { rawConnect, SWITCHING } from '../support/raw-client.ts';
import { INJECTIONS, soundLines, soundText } from './injection.ts';

const MAIN = join(import.meta.dirname, '..', '..', 'src', 'main.ts');
const attached = attachedDev();

it('dev --json tells of each client in whole lines', async () => {
  let opened = 0;
  for (const bytes of INJECTIONS) {
    const reached = attached.backend.peers.length;
    const client = await attached.connect();
    client.send(bytes);
    await until('answer or function', () => client.received.length > 0 || attached.backend.peers.length > reached);
    const fn = attached.backend.peers[reached];
    if (fn) {
      await fn.head();
      fn.send(SWITCHING);
      opened++;
    }
    expect(await client.head()).toMatch(/^HTTP\/1\.1 [14]/);
    for (const peer of [client, fn]) peer?.socket.destroy();
  }
  const ends = () => attached.dev.events.filter(({ event }) => event === 'end').length;
  await until('all have ended', () => ends() === INJECTIONS.length);
  const lines = soundLines(attached.dev.text());
  expect(lines).toHaveLength(attached.dev.events.length);
  expect(opened, 'with text that HTTP allows').toBeGreaterThan(15);
  expect(lines.filter(({ traceparent }) => traceparent).length, 'with text in its line').toBeGreaterThan(3);
});

it('dev prints no control character of a client', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'socketpod-'));
  writeFileSync(
    join(folder, 'exits.yaml'),
    `{apiVersion: socketpod.dev/v1alpha1, kind: WebSocketFunction, metadata: {name: exits},
      spec: {route: {hosts: [proxy.example], paths: [/]}, template: {spec: {containers: [{name: f, command: [sh, -c, exit 3]}]}}}}`,
  );
  const child = spawn(process.execPath, [MAIN, 'dev', '-f', folder, '--listen', '127.0.0.1:0'], { stdio: ['ignore', 'pipe', 'inherit'] });
  let text = '';
  child.stdout.on('data', (chunk) => {
    text += chunk;
  });
  const port = () => /listening on [0-9.]+:([0-9]+)/.exec(text)?.[1];
  await until('it listens', () => port() !== undefined);
  for (const bytes of INJECTIONS) {
    const client = await rawConnect(Number(port()));
    client.send(bytes);
    expect(await client.head()).toMatch(/^HTTP\/1\.1 [45]/);
    client.socket.destroy();
  }
  await until('all are told of', () => text.split(' end   ').length === INJECTIONS.length + 1);
  soundText(text);
  child.kill('SIGTERM');
  await once(child, 'exit');
  rmSync(folder, { recursive: true });
});
