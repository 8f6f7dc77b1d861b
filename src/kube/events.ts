// Events on functions, so that `kubectl describe wsf` tells an author what went wrong. Best effort: one that cannot be created is
// lost, and nobody waits for it.
import { API_VERSION, KIND } from '../api/names.ts';
import { EventLimiter, eventOf, type FunctionEnd, type FunctionEvent } from '../core/event.ts';
import { isConflict, type KubeClient } from './client.ts';

/** A right that is missing is missed at every Event: the log tells of it this often (ms). */
const LOG_MS = 600_000;

/** What Events are made with. */
export interface EventsOptions {
  readonly client: KubeClient;
  /** Who reports, as in `socketpod-proxy`. */
  readonly component: string;
  /** Which of them: the id of this process. */
  readonly instance: string;
  /** A fault, for the log. */
  log(line: string): void;
}

/** Makes Events. */
export class Events {
  readonly #options: EventsOptions;
  readonly #limiter = new EventLimiter();
  #loggedAt = Number.NEGATIVE_INFINITY;

  constructor(options: EventsOptions) {
    this.#options = options;
  }

  /** Makes this Event if there was none of its kind for a minute. Returns at once. */
  tell(event: FunctionEvent): void {
    if (!this.#limiter.allow(event.functionUid, event.reason, performance.now())) return;
    this.#create(event).catch((error: Error) => this.#failed(error));
  }

  async #create(event: FunctionEvent): Promise<void> {
    const { client, component, instance } = this.#options;
    const [namespace = '', name = ''] = event.function.split('/');
    const now = new Date();
    const body = {
      apiVersion: 'v1',
      kind: 'Event',
      metadata: { namespace, name: eventName(name, event, now) },
      involvedObject: { apiVersion: API_VERSION, kind: KIND, namespace, name, uid: event.functionUid },
      type: event.type,
      reason: event.reason,
      message: event.message,
      source: { component },
      reportingComponent: component,
      reportingInstance: instance,
      firstTimestamp: now.toISOString(),
      lastTimestamp: now.toISOString(),
      count: 1,
    };
    try {
      await client.call('POST', `/api/v1/namespaces/${namespace}/events`, { body });
    } catch (error) {
      if (!isConflict(error)) throw error; // another one has told this minute
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
function eventName(name: string, { functionUid, reason }: FunctionEvent, now: Date): string {
  const minute = Math.floor(now.getTime() / 60_000);
  return `${name}.${functionUid.slice(0, 8)}.${reason.toLowerCase()}.${minute.toString(36)}`;
}

/** Events of the ends of connections that a function's author must act on. */
export class FunctionEvents {
  readonly #events: Events;

  /** @param options proxyId: the 10-character id of this process */
  constructor({ client, proxyId, log }: { client: KubeClient; proxyId: string; log(line: string): void }) {
    this.#events = new Events({ client, component: 'socketpod-proxy', instance: proxyId, log });
  }

  /** Makes an Event of this end if it is one for the author. Returns at once. */
  tell(end: FunctionEnd): void {
    const event = eventOf(end);
    if (event) this.#events.tell(event);
  }
}
