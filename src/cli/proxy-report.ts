// What `proxy` tells: its log, and Events for the authors of functions.
import { outcome, status } from '../core/outcome.ts';
import type { FunctionEvents } from '../kube/events.ts';
import { log } from '../log.ts';
import type { Observer } from '../proxy/record.ts';

/** One line when a connection opens, one when it ends, and an Event where the function's author must act. */
export function proxyReport(events: FunctionEvents): Pick<Observer, 'opened' | 'ended'> {
  return {
    opened: (opened) => log('info', 'open', { ...opened }),
    ended: (record) => {
      const { reason, detail, lastWords, ...rest } = record;
      log('info', 'end', { code: outcome(reason).code, reason, status: status(reason), ...rest, detail, lastWords });
      events.tell(record);
    },
  };
}
