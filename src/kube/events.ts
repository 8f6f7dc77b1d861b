// Events on functions, so that `kubectl describe wsf` tells an author what went wrong. Best effort: one that cannot be created is
// lost, and nobody waits for it.
import { API_VERSION, KIND } from '../api/names.ts';
import { EventLimiter, eventMessage, eventReason, type FunctionEnd, makesEvent } from '../core/event.ts';
import { isConflict, type KubeClient } from './client.ts';

/** Who reports, in every Event of ours. */
const COMPONENT = 'socketpod-proxy';
/** A right that is missing is missed at every Event: the log tells of it this often (ms). */
const LOG_MS = 600_000;

/** What Events are made with. */
export interface FunctionEventsOptions {
  readonly client: KubeClient;
  /** The 10-character id of this process. */
  readonly proxyId: string;
  /** A fault, for the log. */
  log(line: string): void;
}

/** Makes Events of the ends that a function's author must act on. */
export class FunctionEvents {
  readonly #options: FunctionEventsOptions;
  readonly #limiter = new EventLimiter();
  #loggedAt = Number.NEGATIVE_INFINITY;

  constructor(options: FunctionEventsOptions) {
    this.#options = options;
  }

  /** Makes an Event of this end if it is one for the author and there was none of its kind for a minute. Returns at once. */
  tell(end: FunctionEnd): void {
    if (!makesEvent(end) || !this.#limiter.allow(end.functionUid, end.reason, performance.now())) return;
    this.#create(end).catch((error: Error) => this.#failed(error));
  }

  async #create(end: FunctionEnd): Promise<void> {
    const [namespace = '', name = ''] = end.function.split('/');
    const now = new Date();
    const body = {
      apiVersion: 'v1',
      kind: 'Event',
      metadata: { namespace, name: eventName(name, end, now) },
      involvedObject: { apiVersion: API_VERSION, kind: KIND, namespace, name, uid: end.functionUid },
      type: 'Warning',
      reason: eventReason(end.reason),
      message: eventMessage(end),
      source: { component: COMPONENT },
      reportingComponent: COMPONENT,
      reportingInstance: this.#options.proxyId,
      firstTimestamp: now.toISOString(),
      lastTimestamp: now.toISOString(),
      count: 1,
    };
    try {
      await this.#options.client.call('POST', `/api/v1/namespaces/${namespace}/events`, { body });
    } catch (error) {
      if (!isConflict(error)) throw error; // another proxy has told this minute
    }
  }

  #failed(error: Error): void {
    const now = performance.now();
    if (now - this.#loggedAt < LOG_MS) return;
    this.#loggedAt = now;
    this.#options.log(`an Event on a function cannot be created: ${error.message}`);
  }
}

/** One name for a function, reason and minute, so that of several proxies one makes the Event. */
function eventName(name: string, { functionUid, reason }: FunctionEnd, now: Date): string {
  const minute = Math.floor(now.getTime() / 60_000);
  return `${name}.${functionUid.slice(0, 8)}.${reason.replaceAll('_', '-')}.${minute.toString(36)}`;
}
