// What clients and functions do in the chaos tests: scripts, put together by random numbers that a seed gives. Pure: play.ts plays them.
import { closeFrame, frame } from '../support/frames.ts';
import { SWITCHING, upgradeHead } from '../support/raw-client.ts';

/**
 * One step: bytes to send, ms to rest, or a word. head: wait until the other side has sent one. end: FIN. reset: RST. deaf: answer no
 * close frame. stall, resume: stop reading, read again. stubborn: do not answer the other's FIN with an own. exit, kill: the function's
 * process ends, with a code or by SIGKILL.
 */
export type Step = Buffer | number | 'head' | 'end' | 'reset' | 'deaf' | 'stall' | 'resume' | 'stubborn' | 'exit' | 'kill';

/** A script with a name for the report of a failure. What it does not say a proper peer does: answer a close frame, and a FIN. */
export interface Script {
  readonly name: string;
  readonly steps: readonly Step[];
}

/** A client's script, and what must come of it. */
export interface ClientScript extends Script {
  /** How many ends the proxy has to record: none for a connection that never was a request. */
  readonly ends: 0 | 1;
  /** Does it wait for its answer, so that there must be one? */
  readonly waits: boolean;
}

/** Where clients may go, and what they may say to a function that obeys texts (fn.c). */
export interface Scene {
  readonly paths: readonly string[];
  readonly texts: readonly string[];
}

type Random = () => number;
type Choice = readonly [weight: number, name: string, make: (random: Random) => readonly Step[]];

/** The line by which a client tells its function which script to play. */
export const SEED_HEADER = 'X-Chaos-Seed';

const CODES = [1000, 1000, 1001, 1002, 1003, 1008, 1010, 1011, 1012, 1013, 3000, 4000, 4999, 999, 1004, 1006, 5000];

function pick<T>(items: readonly T[], random: Random): T {
  return items[Math.floor(random() * items.length)] as T;
}

function choose(choices: readonly Choice[], random: Random): Script {
  let at = random() * choices.reduce((sum, [weight]) => sum + weight, 0);
  for (const [weight, name, make] of choices) {
    at -= weight;
    if (at < 0) return { name, steps: make(random) };
  }
  throw new Error('no choice'); // at is below the sum of all weights
}

function join(scripts: readonly Script[]): Script {
  return { name: scripts.map(({ name }) => name).join(', '), steps: scripts.flatMap(({ steps }) => steps) };
}

function noise(size: number, random: Random): Buffer {
  return Buffer.from(Uint8Array.from({ length: size }, () => random() * 256));
}

/** What a side does while the connection is open. */
function acts(mask: boolean): readonly Choice[] {
  const binary = (size: number) => frame({ opcode: 2, payload: Buffer.alloc(size, 7), mask });
  const many = (count: number, one: Buffer) => Buffer.concat(Array(count).fill(one));
  return [
    [8, 'a text', () => [frame({ opcode: 1, payload: 'hello', mask })]],
    [8, 'a message', (random) => [binary(random() * 4000)]],
    [4, 'a large message', (random) => [binary(20_000 + random() * 100_000)]],
    [4, 'a flood of messages', () => [many(100, binary(20))]],
    [3, 'pings', () => [many(300, frame({ opcode: 9, payload: 'ping', mask }))]],
    [1, 'a flood of pings', () => [many(2500, frame({ opcode: 9, mask }))]],
    [4, 'a ping and a pong', () => [frame({ opcode: 9, mask }), frame({ opcode: 10, payload: 'unasked', mask })]],
    [
      4,
      'fragments',
      () => [
        frame({ fin: false, opcode: 1, payload: 'one ', mask }),
        frame({ opcode: 9, mask }),
        frame({ opcode: 0, payload: 'message', mask }),
      ],
    ],
    [2, 'reserved bits and opcodes', () => [frame({ opcode: 3, rsv: 7, mask }), frame({ opcode: 11, mask })]],
    [8, 'rest', (random) => [random() * 30]],
    [3, 'a message in bytes', () => [...binary(30)].map((byte) => Buffer.from([byte]))],
    [1, 'a broken frame', (random) => [pick(broken(mask), random)]],
    [1, 'noise', (random) => [noise(200, random)]],
    [1, 'deaf', () => ['deaf']],
  ];
}

/** Frames that break the framing (contract part 2). */
function broken(mask: boolean): Buffer[] {
  return [
    frame({ opcode: 0, payload: 'of nothing', mask }),
    frame({ fin: false, opcode: 9, mask }),
    frame({ opcode: 9, payload: Buffer.alloc(126), mask }),
    frame({ opcode: 2, length: 2n ** 53n, mask }),
    Buffer.concat([frame({ fin: false, opcode: 2, mask }), frame({ opcode: 2, mask })]),
  ];
}

/** How a side ends an open connection. */
function endings(mask: boolean): readonly Choice[] {
  const text = frame({ opcode: 1, payload: 'after the end', mask });
  return [
    [20, 'close', (random) => [closeFrame(pick(CODES, random), 'by a peer', mask)]],
    [5, 'close without a code', () => [closeFrame(undefined, '', mask)]],
    [2, 'close with one byte', () => [frame({ opcode: 8, payload: 'x', mask })]],
    [3, 'close and go on', () => [closeFrame(1000, '', mask), text, text]],
    [3, 'close and reset', () => [closeFrame(1000, '', mask), 'reset']],
    [3, 'close and end', () => [closeFrame(4001, '', mask), 'end']],
    [8, 'end', () => ['end']],
    [3, 'half-close', () => ['stubborn', 'end']],
    [8, 'reset', () => ['reset']],
    [4, 'end in a frame', () => [text.subarray(0, 9), 'end']],
    [4, 'reset in a frame', () => [text.subarray(0, 9), 'reset']],
    [0.4, 'stall and reset', (random) => ['stall', random() * 300, 'reset']],
  ];
}

const REQUESTS: readonly (readonly [name: string, head: string | Buffer, ends: 0 | 1])[] = [
  ['nothing', '', 0],
  ['a plain GET', upgradeHead('/test/echo', [], ['Upgrade', 'Connection']), 1],
  ['a plain GET to nobody', upgradeHead('/test/nobody', [], ['Upgrade', 'Connection']), 1],
  ['the health path', upgradeHead('/.socketpod/health', [], ['Upgrade', 'Connection']), 0],
  ['an upgrade to nobody', upgradeHead('/nobody'), 1],
  ['two requests', upgradeHead('/test/nobody') + upgradeHead('/test/nobody'), 1],
  ['a POST', 'POST /test/echo HTTP/1.1\r\nHost: proxy.example\r\nContent-Length: 5\r\n\r\nhello', 1],
  ['version 8', upgradeHead('/test/echo', ['Sec-WebSocket-Version: 8'], ['Sec-WebSocket-Version']), 1],
  ['an odd path', upgradeHead('/test/../echo'), 1],
  ['a long head', upgradeHead('/test/echo', [`X-Long: ${'x'.repeat(20_000)}`]), 1],
  ['a hello of TLS', Buffer.from('16030100a5010000a10303', 'hex'), 1],
  ['HTTP/2', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', 1],
];

/** What a client does; `seed` is its function's. */
export function clientScript(random: Random, seed: number, scene: Scene): ClientScript {
  if (random() < 0.15) return requestScript(random);
  const path = pick(scene.paths, random);
  const browser = random() < 0.3 ? ['Origin: https://page.example'] : [];
  const head = Buffer.from(upgradeHead(path, [`${SEED_HEADER}: ${seed}`, ...browser]));
  const early = random() < 0.05 ? [choose(EARLY, random)] : [];
  const texts: readonly Choice[] = scene.texts.map((text) => [4, text, () => [frame({ opcode: 1, payload: text, mask: true }), 50]]);
  const life = Array.from({ length: random() * 4 }, () => choose([...acts(true), ...texts], random));
  const ending = choose([...endings(true), ...CLIENT_ENDINGS], random);
  const whole = join([{ name: path, steps: [head] }, ...early, { name: 'opened', steps: ['head'] }, ...life, ending]);
  if (random() < 0.7) return { ...whole, ends: 1, waits: true };
  const { script, first } = cut(whole, random);
  const sent = first?.length ?? 0;
  const ends = sent === head.length || (sent > 0 && script.steps.at(-1) === 'end') ? 1 : 0;
  return { ...script, ends, waits: false };
}

/** Beside those of both sides: it stays until somebody else has had enough, but not for ever. */
const CLIENT_ENDINGS: readonly Choice[] = [
  [10, 'stay', (random) => [random() * 800, closeFrame(1000, '', true)]],
  [0.3, 'close and stall', () => [closeFrame(1000, '', true), 'stall', 3500, 'resume']],
];

const EARLY: readonly Choice[] = [
  [3, 'an early text', () => [frame({ opcode: 1, payload: 'early', mask: true })]],
  [1, 'an early close', () => [closeFrame(1000, '', true)]],
  [1, 'too many early bytes', () => [Buffer.alloc(70_000)]],
];

/** Requests that are none for a WebSocket, and what is no request at all. */
function requestScript(random: Random): ClientScript {
  const [name, text, ends] = pick(REQUESTS, random);
  const head = Buffer.from(text);
  if (random() < 0.2) return { name: 'a slow head', steps: [Buffer.from(upgradeHead().slice(0, 1 + random() * 50))], ends: 1, waits: true };
  if (random() < 0.1) return { name: 'noise', steps: [Buffer.concat([Buffer.from([0]), noise(300, random)])], ends: 1, waits: true };
  if (head.length === 0) return { name, steps: [random() * 20, pick(['end', 'reset'], random)], ends, waits: false };
  if (random() < 0.3) return { name: `${name}, left`, steps: [head, pick(['end', 'reset'], random)], ends, waits: false };
  return { name, steps: [head], ends, waits: true };
}

/** Ends a script at a random moment, in the middle of what it sends too. `first`: what is left of its first bytes. */
function cut({ name, steps }: Script, random: Random): { script: Script; first: Buffer | undefined } {
  const at = Math.floor(random() * steps.length);
  const step = steps[at];
  const part = Buffer.isBuffer(step) ? [step.subarray(0, random() * step.length)] : [];
  const left = [...steps.slice(0, at), ...part];
  const how = pick(['end', 'reset'] as const, random);
  const first = left.find((one) => Buffer.isBuffer(one));
  return { script: { name: `${name}; cut at step ${at} by ${how}`, steps: [...left, random() * 5, how] }, first };
}

const REFUSALS: readonly Choice[] = [
  [2, '403', () => [Buffer.from('HTTP/1.1 403 No\r\nContent-Length: 2\r\n\r\nno')]],
  [2, '503 in chunks', () => [Buffer.from('HTTP/1.1 503 No\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nno\r\n0\r\n\r\n')]],
  [2, 'a body that breaks off', () => [Buffer.from('HTTP/1.1 403 No\r\nContent-Length: 20\r\n\r\nno'), 'reset']],
  [2, 'a body to the end', () => [Buffer.from('HTTP/1.1 403 No\r\n\r\nno'), 'end']],
  [1, 'a body without end', () => [Buffer.concat([Buffer.from('HTTP/1.1 200 OK\r\n\r\n'), Buffer.alloc(400_000)])]],
  [2, 'a wrong 101', () => [Buffer.from(SWITCHING.replace('Accept: ', 'Accept: x'))]],
  [2, 'garbage', (random) => [noise(100, random)]],
  [2, 'end', () => ['end']],
  [2, 'reset', () => ['reset']],
  [2, 'part of a 101', (random) => [Buffer.from(SWITCHING).subarray(0, random() * SWITCHING.length), pick(['end', 'reset'], random)]],
  [1, 'no answer', () => []],
];

const ANSWERS: readonly Choice[] = [
  [8, '101', () => [Buffer.from(SWITCHING)]],
  [1, '101 in bytes', () => [...SWITCHING].map((byte) => Buffer.from(byte))],
  [1, '101 with a message', () => [Buffer.concat([Buffer.from(SWITCHING), frame({ opcode: 1, payload: 'at once' })])]],
  [1, '101 with a close', () => [Buffer.concat([Buffer.from(SWITCHING), closeFrame(1000)])]],
];

/** What a function does. `ownProcess`: it may end that too. */
export function functionScript(random: Random, ownProcess: boolean): Script {
  const rest: Script = { name: 'asked', steps: ['head', random() < 0.5 ? 0 : random() * 20] };
  if (random() < 0.2) return join([rest, choose(REFUSALS, random)]);
  const life = Array.from({ length: random() * 3 }, () => choose(acts(false), random));
  const end = ownProcess && random() < 0.2 ? choose(DEATHS, random) : choose([...endings(false), ...FUNCTION_ENDINGS], random);
  const whole = join([rest, choose(ANSWERS, random), ...life, end]);
  return random() < 0.9 ? whole : cut(whole, random).script;
}

const DEATHS: readonly Choice[] = [
  [1, 'exit', () => ['exit']],
  [1, 'kill', () => ['kill']],
];

/** Most functions leave the end to the client. */
const FUNCTION_ENDINGS: readonly Choice[] = [
  [90, 'stay', () => []],
  [2, 'stay deaf', () => ['deaf']],
  [1, 'stay stalled', () => ['stall']],
];
