// What `dev` tells: for people a line an event, for scripts (--json) an object a line.

import type { Writable } from 'node:stream';
import { styleText } from 'node:util';
import { outcome, status } from '../core/outcome.ts';
import { keyOf, type ServedFunction } from '../core/served.ts';
import { cutTexts, jsonLine, printable } from '../log.ts';
import type { ConnectionRecord, Observer } from '../proxy/record.ts';

/** Where `dev` listens: the plain data port, the one with TLS, the admin port; undefined: it is off. */
export interface Addresses {
  readonly address: string | undefined;
  readonly tls: string | undefined;
  readonly admin: string | undefined;
}

/** Hears of all that happens in `dev`. */
export interface Report extends Pick<Observer, 'opened' | 'violated' | 'ended'> {
  listening(at: Addresses): void;
  /** A function is served; `changed`: it was before, in another version. */
  serving(key: string, urls: readonly string[], changed: boolean): void;
  removed(key: string): void;
  /** A certificate was read again. */
  changed(line: string): void;
  /** A file cannot be used; what it said before still holds. */
  problem(line: string): void;
  output(fn: ServedFunction, connectionId: string, line: string): void;
}

/** One JSON object a line, each with `event`. */
export function jsonReport(out: Writable): Report {
  const tell = (event: string, fields: object) => void out.write(jsonLine({ event, ...fields }));
  return {
    listening: (at) => tell('listening', at),
    serving: (key, urls, changed) => tell('function', { function: key, urls, changed }),
    removed: (key) => tell('removed', { function: key }),
    changed: (line) => tell('changed', { line }),
    problem: (line) => tell('problem', { problem: line }),
    output: (fn, id, line) => tell('output', { function: keyOf(fn), id, line }),
    opened: (opened) => tell('open', cutTexts(opened)),
    violated: (violation) => tell('violation', violation),
    ended: (record) => tell('end', { ...cutTexts(record), code: outcome(record.reason).code, status: status(record.reason) }),
  };
}

/** Lines for people; coloured where `out` is a terminal that wants colours. */
export function terminalReport(out: Writable): Report {
  const paint = (style: Parameters<typeof styleText>[0], text: string) => styleText(style, text, { stream: out });
  const say = (line: string) => void out.write(`${line}\n`);
  return {
    listening: ({ address, tls, admin }) => {
      const ports = [address, tls && `${tls} (TLS)`, admin && `admin port ${admin}`].filter((port) => port !== undefined);
      say(paint('dim', `listening on ${ports.join(', ')}; stop with Ctrl-C`));
    },
    serving: (key, urls, changed) =>
      say(`${paint('bold', key)}  ${urls.join('  ')}${changed ? paint('dim', '  (changed: holds for new connections)') : ''}`),
    removed: (key) => say(`${paint('bold', key)}  ${paint('dim', 'removed')}`),
    changed: (line) => say(paint('dim', line)),
    problem: (line) => say(paint('red', line)),
    output: (_fn, id, line) => say(`${paint('dim', `${short(id)} |`)} ${line}`),
    opened: ({ id, function: key, backend, handshakeMs }) =>
      say(`${paint('cyan', short(id))} open  ${key}  ${backend}  ${paint('dim', `in ${handshakeMs.toFixed(0)} ms`)}`),
    violated: ({ function: key, limit, code, action }) => {
      if (action === 'throttle') say(`${paint('yellow', 'held back')}  ${key}  ${code} ${limit}`); // the others show in the line of the end
    },
    ended: (record) => say(endLine(record, paint)),
  };
}

function endLine(record: ConnectionRecord, paint: (style: Parameters<typeof styleText>[0], text: string) => string): string {
  const { code } = outcome(record.reason);
  const verdict = paint(status(record.reason) === 'success' ? 'green' : 'red', `${code} ${record.reason}`);
  const figures =
    record.httpStatus === 101
      ? `open ${(record.openMs / 1000).toFixed(1)} s, ${record.messagesUp} up, ${record.messagesDown} down`
      : `HTTP ${record.httpStatus || '-'}`;
  const detail = record.detail === '' ? '' : paint('dim', `  ${printable(record.detail)}`);
  const words = record.lastWords === '' ? '' : paint('dim', `\n${printable(record.lastWords)}`.replaceAll('\n', '\n         '));
  return `${paint('cyan', short(record.id))} end   ${record.function || '-'}  ${verdict}  ${paint('dim', figures)}${detail}${words}`;
}

/** Enough of an id to tell the lines of a session apart. */
function short(id: string): string {
  return id.slice(0, 8);
}
