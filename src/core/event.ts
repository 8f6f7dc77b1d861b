// The Events on a function (kubectl describe wsf): what one says, which ends of connections make one, and how often.
import { firstBytes, LAST_WORDS_BYTES, lastBytes } from './last-words.ts';
import { outcome, type Reason } from './outcome.ts';

/** An Event, whoever makes it. */
export interface FunctionEvent {
  /** `namespace/name`. */
  readonly function: string;
  readonly functionUid: string;
  readonly type: 'Normal' | 'Warning';
  /** As in FunctionExited. */
  readonly reason: string;
  readonly message: string;
}

/** The end of a connection, as far as an Event tells of it. */
export interface FunctionEnd {
  /** `namespace/name`; empty when no function was found. */
  readonly function: string;
  readonly functionUid: string;
  readonly reason: Reason;
  readonly detail: string;
  readonly lastWords: string;
}

/** What the function's author must act on; the rest is everyday, or the operator's. */
const FOR_THE_AUTHOR: readonly Reason[] = [
  'memory_limit',
  'function_exited',
  'container_exited',
  'container_start_failed',
  'image_pull_failed',
  'image_pull_timeout',
  'port_timeout',
  'handshake_timeout',
  'handshake_failed',
  'function_protocol_error',
  'response_too_large',
  'pod_rejected',
  'quota_exceeded',
  'unschedulable',
  'pod_start_timeout',
];

/** Does this end make an Event? */
export function makesEvent({ reason, functionUid }: FunctionEnd): boolean {
  return functionUid !== '' && FOR_THE_AUTHOR.includes(reason);
}

/** The Event of this end; undefined when it makes none. */
export function eventOf(end: FunctionEnd): FunctionEvent | undefined {
  if (!makesEvent(end)) return undefined;
  const { function: key, functionUid, reason } = end;
  return { function: key, functionUid, type: 'Warning', reason: eventReason(reason), message: eventMessage(end) };
}

/** The reason as Events have it: FunctionExited. */
export function eventReason(reason: Reason): string {
  return reason.replaceAll(/(?:^|_)(.)/g, (_match, first: string) => first.toUpperCase());
}

/** Of a message, the detail leaves this many bytes for the last words. */
const HALF = LAST_WORDS_BYTES / 2;

/** One line, as `kubectl get events` shows no second one; at most 1,024 bytes: the beginning of the detail, the end of the last words. */
export function eventMessage({ reason, detail, lastWords }: FunctionEnd): string {
  const { code, cause } = outcome(reason);
  const what = oneLine(`${code} ${cause}${detail === '' ? '' : `: ${detail}`}`);
  if (lastWords === '') return firstBytes(what, LAST_WORDS_BYTES);
  const head = `${firstBytes(what, HALF)}; last words: `;
  return head + lastBytes(oneLine(lastWords), LAST_WORDS_BYTES - Buffer.byteLength(head));
}

function oneLine(text: string): string {
  return text.trim().replaceAll(/\s*[\r\n\f]\s*/g, ' | ');
}

/** Of one function and reason there is one Event in this time (contract part 5), in ms. */
const PAUSE_MS = 60_000;
/** And of all of them together this many: the bound of the memory, and of what a bad minute costs the API server. */
const MOST_EVENTS = 1000;

/** One Event a minute per function and reason. */
export class EventLimiter {
  /** When there was one, by function and reason; the oldest first. */
  readonly #last = new Map<string, number>();

  /** May there be one now? If so, it is counted. */
  allow(functionUid: string, reason: string, nowMs: number): boolean {
    for (const [key, atMs] of this.#last) {
      if (nowMs - atMs < PAUSE_MS) break;
      this.#last.delete(key);
    }
    const key = `${functionUid} ${reason}`;
    if (this.#last.has(key) || this.#last.size >= MOST_EVENTS) return false;
    this.#last.set(key, nowMs);
    return true;
  }
}
