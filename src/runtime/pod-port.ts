// From a created pod to its open port: the watch says what becomes of the pod, and as soon as its container runs the port is tried,
// without waiting for the kubelet to say Ready.
import type { Socket } from 'node:net';
import { mayDial } from '../core/address.ts';
import { isScheduled, isUnschedulable, readPod, reasonAtTimeout } from '../core/pod-status.ts';
import type { OwnPod } from './own-pod.ts';
import { probe } from './probe.ts';
import { INIT_TIMEOUT, type StartFailure, type StartRequest, type StartStages } from './runtime.ts';
import type { TakenAddresses } from './taken.ts';

/** What came of a pod: an open port, a failure, or a node that refused it. */
export type PortResult =
  | { readonly kind: 'open'; readonly socket: Socket; readonly stages: StartStages }
  | { readonly kind: 'failed'; readonly failure: StartFailure }
  | { readonly kind: 'again'; readonly detail: string };

/** What a pod is opened with. */
export interface PortOptions {
  /** A start that finds no node ends after this; undefined: at the init timeout (ms). */
  readonly graceMs: number | undefined;
  readonly taken: TakenAddresses;
}

/** Waits until the pod's port is open or it is certain that it will not be. */
export async function openPort(
  own: OwnPod,
  request: Pick<StartRequest, 'fn' | 'signal'>,
  { graceMs, taken }: PortOptions,
): Promise<PortResult> {
  const over = new AbortController();
  const signal = AbortSignal.any([request.signal, over.signal]);
  const grace = graceMs === undefined ? undefined : AbortSignal.timeout(graceMs);
  const clock = new StageClock();
  let probing: Promise<Socket | undefined> | undefined;
  let socket: Socket | undefined;
  try {
    for (;;) {
      if (socket) return { kind: 'open', socket, stages: clock.stages };
      if (request.signal.aborted) return atTimeout(own, request.fn.spec.port);
      if (own.gone) return failed({ reason: own.byOthers ?? 'pod_deleted', detail: 'the pod is gone' });
      const reading = readPod(own.pod);
      if (reading.state === 'failed') return failed(reading);
      if (reading.state === 'refused') return { kind: 'again', detail: reading.detail };
      if (grace?.aborted && isUnschedulable(own.pod)) return atTimeout(own, request.fn.spec.port);
      clock.see(isScheduled(own.pod), reading.state === 'running');
      if (reading.state === 'running' && !probing) {
        if (!mayDial(reading.ip, taken.all())) return failed({ reason: 'internal_error', detail: `no pod can be at ${reading.ip}` });
        probing = probe(reading.ip, request.fn.spec.port, signal).then((found) => {
          socket = found;
          if (found) clock.port();
          return found;
        });
      }
      await Promise.race([own.change(grace?.aborted === false ? AbortSignal.any([signal, grace]) : signal), ...(probing ? [probing] : [])]);
    }
  } finally {
    over.abort(); // ends the probe, unless it has given its socket already
    if (!socket) probing?.then((late) => late?.destroy());
  }
}

function atTimeout(own: OwnPod, port: number): PortResult {
  const reason = reasonAtTimeout(own.pod);
  if (reason === 'port_timeout') return failed({ reason, detail: `the container runs, but nothing listens on port ${port}` });
  const { status, spec } = own.pod;
  const unmet = status?.conditions?.find((condition) => condition.status === 'False')?.message;
  return failed({ reason, detail: unmet || `the pod is ${status?.phase ?? 'new'} on ${spec?.nodeName ?? 'no node'}` });
}

function failed({ reason, detail, lastWords = '' }: Omit<StartFailure, 'ok'>): PortResult {
  return { kind: 'failed', failure: { ok: false, reason, detail, lastWords } };
}

/** How a start ended, for the metrics. */
export function resultOf({ kind }: PortResult, signal: AbortSignal): 'ready' | 'failed' | 'abandoned' {
  if (kind === 'open') return 'ready';
  return signal.aborted && signal.reason !== INIT_TIMEOUT ? 'abandoned' : 'failed';
}

/** How long each stage took, from one sight of the pod to the next. */
class StageClock {
  readonly stages: StartStages = {};
  #since = performance.now();
  #seen: 'created' | 'scheduled' | 'running' = 'created';

  see(scheduled: boolean, running: boolean): void {
    if (this.#seen === 'created' && (scheduled || running)) {
      this.stages.schedule = this.#lap();
      this.#seen = 'scheduled';
    }
    if (this.#seen === 'scheduled' && running) {
      this.stages.container = this.#lap();
      this.#seen = 'running';
    }
  }

  port(): void {
    this.stages.port = this.#lap();
  }

  #lap(): number {
    const now = performance.now();
    const took = now - this.#since;
    this.#since = now;
    return took;
  }
}
