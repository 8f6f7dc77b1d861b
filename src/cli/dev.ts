// `socketpod dev`: the whole main job on a laptop. The same proxy with child processes in place of pods; functions come from
// files, and a changed file holds for new connections.
import type { Endpoint } from '../config.ts';
import { keyOf } from '../core/served.ts';
import { urlsOf } from '../core/url.ts';
import { UserError } from '../fault.ts';
import { tellAll } from '../proxy/record.ts';
import { type Capacity, createServices, type Services } from '../proxy/services.ts';
import { attachRuntime } from '../runtime/attach.ts';
import { processRuntime } from '../runtime/processes.ts';
import { baseUrl, type DataPortOptions, readDataPorts, shown } from './data-ports.ts';
import { FunctionFiles } from './dev-files.ts';
import { jsonReport, type Report, terminalReport } from './dev-report.ts';
import { metricsOf, NO_CLUSTER, openAdminPort } from './operate.ts';
import { readCeilings } from './rules.ts';
import { stopSignal } from './signals.ts';

/** The longest that the end of `dev` takes: 3 s of closing, and the grace period of the processes (ms). */
const STOP_MS = 15_000;

/** A server that already runs is not started, however often. */
const NOTHING_STARTED = { maxStartsPerSecond: Number.MAX_SAFE_INTEGER };

/** The options of `dev`, as config.ts reads them. */
export interface DevOptions extends Capacity, DataPortOptions {
  readonly file?: readonly string[];
  readonly attach?: Endpoint;
  readonly admin?: Endpoint;
  readonly ceilings?: string;
  readonly publicUrl?: string;
  readonly json: boolean;
}

/** Serves until SIGINT or SIGTERM. Throws a UserError for what the user can mend. */
export async function dev(options: DevOptions): Promise<void> {
  const report = options.json ? jsonReport(process.stdout) : terminalReport(process.stdout);
  const { attach } = options;
  const runtime = attach ? attachRuntime(attach.host, attach.port) : processRuntime((fn, id, line) => report.output(fn, id, line));
  const metrics = metricsOf(() => operated);
  const services = createServices(runtime, tellAll(metrics, report), attach ? { ...options, ...NOTHING_STARTED } : options);
  const operated = { ...NO_CLUSTER, services };
  const openPorts = await readDataPorts(options, { changed: (line) => report.changed(line), problem: (line) => report.problem(line) });
  const files = new FunctionFiles(options.file ?? ['.'], await readCeilings(options.ceilings));

  const first = await files.read();
  if (first.problems.length > 0) throw new UserError(first.problems.join('\n'));
  if (first.functions.length === 0) throw new UserError(`no WebSocketFunction in ${files.paths.join(', ')}; name a file or folder with -f`);

  const ports = await openPorts(services);
  const admin = options.admin && (await openAdminPort(options.admin, operated, metrics));
  const base = baseUrl(options.publicUrl, ports.plain, ports.tls);
  serve(first.functions, services, report, base);
  const readAgain = async () => {
    const { functions, problems } = await files.read();
    for (const problem of problems) report.problem(problem);
    serve(functions, services, report, base);
  };
  const watching = files.watch(readAgain);
  await readAgain(); // what was changed between the first look and the watch
  const stopped = stopSignal(); // heard from before anybody is told that it listens
  report.listening({ address: shown(ports.plain), tls: shown(ports.tls), admin: admin && `${options.admin?.host}:${admin.port}` });

  await stopped;
  watching.close();
  const drained = services.gate.drain(services.registry, { delayMs: 0, drainMs: 0 }, AbortSignal.abort());
  ports.close();
  await Promise.race([Promise.all([drained, runtime.close(STOP_MS)]), stopSignal()]);
  admin?.close();
}

/** Makes the served set equal to this one. */
function serve(functions: Awaited<ReturnType<FunctionFiles['read']>>['functions'], services: Services, report: Report, base: string): void {
  const now = new Map(functions.map((fn) => [keyOf(fn), fn]));
  for (const before of services.functions.all()) {
    const key = keyOf(before);
    if (now.has(key)) continue;
    services.functions.delete(key);
    report.removed(key);
  }
  const known = new Map(services.functions.all().map((fn) => [fn.uid, fn.generation]));
  for (const [key, fn] of now) {
    if (known.get(fn.uid) === fn.generation) continue;
    services.functions.set(fn);
    report.serving(key, urlsOf(fn, base), known.has(fn.uid));
  }
}
