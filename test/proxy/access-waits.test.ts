// While a signature is checked, on a thread of the pool that other work keeps busy: what may happen to the handshake meanwhile.
import { pbkdf2 } from 'node:crypto';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import { accessScene } from '../support/access.ts';
import { frame } from '../support/frames.ts';
import { until } from '../support/ports.ts';
import { type RawPeer, rawConnect, upgradeHead } from '../support/raw-client.ts';
import { apiKey, claims, inSeconds, jwtAuth, signingKey, token } from '../support/tokens.ts';

const key = signingKey('ES256', 'e');
const ci = apiKey('ci');
const good = `Authorization: Bearer ${token(key)}`;
const bad = `Authorization: Bearer ${token(key, claims({ exp: inSeconds(-40) }))}`;
const scene = accessScene();

/** Keeps all threads of the pool busy for some tenths of a second; gives a look at whether they still are. */
function busyThreads(): () => boolean {
  let busy = true;
  const work = Array.from({ length: 8 }, () => promisify(pbkdf2)('a', 'b', 200_000, 32, 'sha512'));
  void Promise.all(work).then(() => {
    busy = false;
  });
  return () => busy;
}

/** Sends a request whose signature cannot be checked yet, and waits until the proxy has it. */
async function held(name: string, lines: string[], behind: Uint8Array = Buffer.alloc(0)) {
  const path = scene.serve(name, { auth: { jwt: jwtAuth([key]), apiKeys: [ci.entry] } });
  const { functions } = scene.proxy.services;
  const busy = busyThreads();
  const find = functions.find.bind(functions);
  let routed = false;
  functions.find = (...args) => {
    routed = true;
    return find(...args);
  };
  const client = await rawConnect(scene.proxy.port);
  client.send(Buffer.concat([Buffer.from(upgradeHead(path, lines)), behind]));
  await until('the request is routed', () => routed);
  functions.find = find;
  expect(busy()).toBe(true);
  return { client };
}

const recordsOf = (name: string) => scene.proxy.records.filter((record) => record.function === `test/${name}`);

/** Waits for records of a function, then for a later handshake to come to its end: no second record is on its way. */
async function onlyRecord(name: string) {
  await until('its end is recorded', () => recordsOf(name).length > 0);
  await scene.see(scene.serve('later', {}));
  const [record, ...more] = recordsOf(name);
  expect(more).toEqual([]);
  return record;
}

describe('while a signature is checked', () => {
  it.each<[string, string[], (client: RawPeer) => unknown]>([
    ['a client with a good token that ends', [good], ({ socket }) => socket.end()],
    ['a client with a bad token that ends', [bad], ({ socket }) => socket.end()],
    ['a client with a good token that resets', [good], ({ socket }) => socket.resetAndDestroy()],
    ['a client with a bad token that resets', [bad], ({ socket }) => socket.resetAndDestroy()],
  ])('%s is recorded once, as having left, and gets nothing', async (what, lines, leave) => {
    const name = what.replaceAll(' ', '-');
    const { client } = await held(name, lines);
    leave(client);
    const record = await onlyRecord(name);
    expect([record?.reason, record?.httpStatus, record?.backend, record?.access]).toEqual(['client_left', 0, '', '']);
    await until('the client is done', () => client.ended || client.closed);
    expect(client.received.length).toBe(0);
    client.socket.destroy();
  });

  it('what a client sends is kept for the function, in order', async () => {
    const say = (text: string) => frame({ opcode: 1, payload: text, mask: true });
    const { client } = await held('early', [good], say('with the head'));
    client.send(say('behind it'));
    expect(await client.head()).toMatch(/^HTTP\/1\.1 101 /);
    expect((await client.take(26)).toString('latin1')).toBe('\x81\x0dwith the head\x81\x09behind it');
    client.socket.destroy();
    expect(await onlyRecord('early')).toMatchObject({ reason: 'client_dropped', access: 'jwt:alice', messagesUp: 2 });
  });

  it.each(['with the head', 'behind it'])('a client that sent something %s and left is no connection of its function', async (where) => {
    const name = where.replaceAll(' ', '-');
    const { client } = await held(name, [good], Buffer.from(where === 'with the head' ? 'x' : ''));
    client.socket.end(where === 'behind it' ? 'x' : '');
    expect(await onlyRecord(name)).toMatchObject({ reason: 'client_left', httpStatus: 0 });
    expect(client.received.length).toBe(0);
    client.socket.destroy();
  });

  it('the deletion of the function refuses', async () => {
    const { client } = await held('deleted', [good]);
    scene.proxy.services.functions.delete('test/deleted');
    expect(await client.head()).toMatch(/^HTTP\/1\.1 503 [\s\S]*X-Socketpod-Status: 438/);
    client.socket.destroy();
    expect(await onlyRecord('deleted')).toMatchObject({ reason: 'function_deleted', httpStatus: 503 });
  });

  it('a drain refuses', async () => {
    const { client } = await held('drained', [good]);
    const { gate } = scene.proxy.services;
    gate.open = false;
    const head = await client.head();
    gate.open = true;
    expect(head).toMatch(/^HTTP\/1\.1 503 [\s\S]*X-Socketpod-Status: 500/);
    client.socket.destroy();
    expect(await onlyRecord('drained')).toMatchObject({ reason: 'draining', httpStatus: 503 });
  });

  it('an edit holds for the next client: this one is judged by the keys that it met', async () => {
    const { client } = await held('edited', [good]);
    scene.serve('edited', { auth: { apiKeys: [ci.entry] } });
    expect(await client.head()).toMatch(/^HTTP\/1\.1 101 /);
    client.socket.destroy();
    expect((await scene.see('/test/edited', [good])).status).toBe(401);
  });

  it('the ceiling counts those who came in meanwhile', async () => {
    const path = scene.serve('one', { auth: { jwt: jwtAuth([key]) }, maxConnections: 1 });
    busyThreads();
    const clients = await Promise.all([1, 2, 3].map(() => scene.ask(path, [good])));
    const statuses = await Promise.all(clients.map(async (client) => Number((await client.head()).split(' ')[1])));
    expect(statuses.sort()).toEqual([101, 429, 429]);
    for (const { socket } of clients) socket.destroy();
    await until('all are recorded', () => recordsOf('one').length === 3);
  });

  it('a function that needs no signature does not wait', async () => {
    const busy = busyThreads();
    const open = scene.serve('open', {});
    const keys = scene.serve('keys', { auth: { jwt: jwtAuth([key]), apiKeys: [ci.entry] } });
    expect((await scene.see(open)).status).toBe(101);
    expect((await scene.bearer(keys, ci.key)).status).toBe(101);
    expect((await scene.see(keys)).status).toBe(401);
    expect(busy()).toBe(true);
  });
});
