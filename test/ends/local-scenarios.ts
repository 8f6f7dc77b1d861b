// How each row that needs no cluster comes about. An end gives what each side read; a refusal what the client got over HTTP.
import type { Capacity } from '../../src/proxy/services.ts';
import { closeFrame, frame } from '../support/frames.ts';
import { until } from '../support/ports.ts';
import type { RawPeer } from '../support/raw-client.ts';
import { rawConnect, upgradeHead } from '../support/raw-client.ts';
import { claims, token } from '../support/tokens.ts';
import { type HttpAnswer, KEY, type Scene, SIGNING, setScene } from './scene.ts';

/** What was seen of the end of an open connection, as `code text`; `sent`: the close frame of the peer that closed. */
export interface SeenEnd {
  readonly id: string;
  readonly sent?: string;
  readonly client?: string;
  readonly fn?: string;
}

/** What was seen of a refusal; undefined when nobody was left to see it. */
export type SeenRefusal = HttpAnswer | undefined;

export type LocalScenario = (scene: Scene) => Promise<SeenEnd | SeenRefusal>;

const say = (client: RawPeer, text: string) => client.send(frame({ opcode: 1, payload: text, mask: true }));

/** The client closes: its frame reaches the function, and comes back. */
function clientCloses(code?: number): LocalScenario {
  return async (scene) => {
    const { client, id } = await scene.open();
    client.send(closeFrame(code, code === undefined ? '' : 'bye', true));
    return { id, sent: code === undefined ? '1005' : `${code} bye`, client: await scene.end(client), fn: await scene.functionSaw(id) };
  };
}

/** The function closes: its frame reaches the client, whose answer reaches the function. */
function functionCloses(code?: number): LocalScenario {
  return async (scene) => {
    const { client, id } = await scene.open();
    say(client, code === undefined ? 'close' : `close ${code}`);
    const seen = await scene.end(client);
    client.send(code === undefined ? closeFrame(undefined, '', true) : closeFrame(code, 'as told', true));
    return { id, sent: code === undefined ? '1005' : `${code} as told`, client: seen, fn: await scene.functionSaw(id) };
  };
}

/** Something happens for which the platform closes both sides. */
function bothTold(name: string, act: (client: RawPeer, scene: Scene, id: string) => unknown): LocalScenario {
  return async (scene) => {
    const { client, id } = await scene.open(name);
    await act(client, scene, id);
    return { id, client: await scene.end(client), fn: await scene.functionSaw(id) };
  };
}

/** The function ends without a word. */
function functionDies(command: string): LocalScenario {
  return async (scene) => {
    const { client, id } = await scene.open();
    say(client, command);
    return { id, client: await scene.end(client) };
  };
}

/** An upgrade request that is refused. */
function refused(name: string, lines: readonly string[] = []): LocalScenario {
  return async (scene) => scene.answer(await scene.ask(name, lines));
}

/** Bytes that are no proper upgrade request. */
function bytes(head: string): LocalScenario {
  return async (scene) => {
    const client = await rawConnect(scene.proxy.port);
    client.send(head);
    const seen = await scene.answer(client);
    client.socket.destroy();
    return seen;
  };
}

export const LOCAL_SCENARIOS: Readonly<Record<string, LocalScenario>> = {
  'rate_exceeded, throttled for 30 s': bothTold('slow', (client) => {
    for (let i = 0; i < 100; i++) say(client, 'one of too many');
  }),
  'normal_closure by the client': clientCloses(1000),
  'normal_closure by the function': functionCloses(1000),
  client_mandatory_extension: clientCloses(1010),
  function_internal_error: functionCloses(1011),
  function_close_code: functionCloses(4000),
  'function_close_code 1010': functionCloses(1010),
  function_no_status: functionCloses(),
  function_dropped: functionDies('drop'),
  function_exited: functionDies('exit 7'),
  client_going_away: clientCloses(1001),
  client_close_code: clientCloses(4001),
  'client_close_code 1011': clientCloses(1011),
  client_no_status: clientCloses(),
  client_dropped: async (scene) => {
    const { client, id } = await scene.open();
    client.socket.destroy();
    return { id, fn: await scene.functionSaw(id) };
  },
  idle_timeout: bothTold('idle', () => {}),
  execution_timeout: bothTold('short', () => {}),
  request_too_large: bothTold('small', (client) => say(client, 'x'.repeat(101))),
  response_too_large: bothTold('small', (client) => say(client, 'send 101')),
  'rate_exceeded by messages': bothTold('few', (client) => {
    for (let i = 0; i < 3; i++) say(client, 'one');
  }),
  'rate_exceeded by bytes': bothTold('thin', (client) => {
    client.send(Buffer.concat([1, 2].map(() => frame({ opcode: 2, payload: Buffer.alloc(100), mask: true }))));
  }),
  frame_rate_exceeded: bothTold('plain', (client) => {
    // More than a second's worth for as long as that takes to send.
    client.send(Buffer.concat(Array.from({ length: 20_000 }, () => frame({ opcode: 10, mask: true }))));
  }),
  client_protocol_error: bothTold('plain', (client) => client.send(frame({ opcode: 0, payload: 'x', mask: true }))),
  function_protocol_error: bothTold('plain', (client) => say(client, 'raw 0900')),
  function_deleted: bothTold('deleted', (_client, scene) => scene.proxy.services.functions.delete('test/deleted')),
  closed_by_operator: bothTold('plain', async (_client, scene, id) => {
    if ((await scene.operator(id)) !== 204) throw new Error('the admin port does not know it');
  }),
  internal_error: bothTold('faulty', (client) => {
    for (let i = 0; i < 3; i++) say(client, 'one');
  }),

  // On stages of their own, as these hold for a whole proxy.
  drained: elsewhere({}, async (scene) => {
    const { client, id } = await scene.open();
    void drainNow(scene);
    return { id, client: await scene.end(client), fn: await scene.functionSaw(id) };
  }),
  'refused draining': elsewhere({}, async (scene) => {
    const { client } = await scene.open();
    const drained = scene.proxy.services.gate.drain(scene.proxy.services.registry, { delayMs: 0, drainMs: 60_000 }, NEVER);
    await until('no new connection is taken', () => !scene.proxy.services.gate.open);
    const seen = await scene.answer(await scene.ask('plain'));
    client.socket.destroy();
    await drained;
    return seen;
  }),
  'refused overloaded': elsewhere({ maxPending: 1 }, async (scene) => {
    await scene.ask('holds');
    await until('it is held', () => pending(scene, 'holds'));
    return scene.answer(await scene.ask('plain'));
  }),
  'refused start_rate_exceeded': elsewhere({ maxStartsPerSecond: 1 }, async (scene) => {
    for (let i = 0; i < 2; i++) await scene.ask('starting'); // the burst
    await until('both are being started', () => scene.proxy.services.registry.size === 2);
    return scene.answer(await scene.ask('plain'));
  }),
  'refused function_not_accepted': refused('not-accepted'),

  'refused route_not_found': refused('nobody'),
  'refused not_websocket': bytes('GET /test/plain HTTP/1.1\r\nHost: x\r\n\r\n'),
  'refused bad_handshake with two Hosts': refused('plain', ['Host: other.example']),
  'refused bad_handshake with a dot segment': bytes(upgradeHead('/test/../test/plain')),
  'refused bad_handshake of another version': bytes(upgradeHead('/test/plain', ['Sec-WebSocket-Version: 8'], ['Sec-WebSocket-Version'])),
  'refused bad_handshake that is not complete': bytes('GET /test/plain HTTP/1.1\r\nHost: x\r\n'),
  'refused bad_handshake over 16 KiB': bytes(upgradeHead('/test/plain', [`X-Long: ${'x'.repeat(17_000)}`])),
  'refused bad_handshake with over 64 KiB before the 101': async (scene) => {
    const client = await scene.ask('holds');
    client.send(Buffer.alloc(65_537));
    return scene.answer(client);
  },
  'refused bad_credentials': refused('locked'),
  'refused origin_denied': refused('locked', ['Origin: https://evil.example', `Authorization: Bearer ${KEY.key}`]),
  'refused claims_denied': refused('locked', ['Origin: https://app.example', `Authorization: Bearer ${token(SIGNING, claims())}`]),
  'refused max_connections': async (scene) => {
    await scene.open('one');
    return scene.answer(await scene.ask('one'));
  },
  'refused max_connections of a function that is off': refused('off'),
  'refused container_start_failed': refused('no-command'),
  'refused container_exited': refused('exits'),
  'refused port_timeout': refused('never-listens'),
  'refused handshake_timeout': refused('never-answers'),
  'refused handshake_failed by a drop': refused('drops'),
  'refused handshake_failed by garbage': refused('garbage'),
  'refused function_refused': refused('refuses'),
  'refused function_refused_5xx': refused('fails'),
  'refused internal_error': refused('fault-at-start'),
  'refused function_deleted': async (scene) => {
    const client = await scene.ask('starting');
    await until('it is being started', () => pending(scene, 'starting'));
    scene.proxy.services.functions.delete('test/starting');
    return scene.answer(client);
  },
  'refused client_left': async (scene) => {
    const client = await scene.ask('starting-too');
    await until('it is being started', () => pending(scene, 'starting-too'));
    client.socket.destroy();
    return undefined;
  },
};

const NEVER = new AbortController().signal;

function drainNow({ proxy }: Scene): Promise<void> {
  return proxy.services.gate.drain(proxy.services.registry, { delayMs: 0, drainMs: 0 }, NEVER);
}

/** A scenario on a stage of its own. */
function elsewhere(capacity: Partial<Capacity>, scenario: LocalScenario): LocalScenario {
  return async (main) => {
    const scene = await setScene(capacity);
    try {
      return await scenario(scene);
    } finally {
      await scene.stop();
      main.proxy.records.push(...scene.proxy.records);
    }
  };
}

function pending({ proxy }: Scene, name: string): boolean {
  return [...proxy.services.registry.all()].some(({ fn, opened }) => fn.name === name && !opened);
}
