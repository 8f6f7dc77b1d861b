// Tables of docs/scf.md: what Tencent SCF calls a setting and a function code, and what stands for it here. SCF's names
// of fields are in the schema's descriptions, its names of metrics in the recording rules; its names of codes only here.
import { SPEC } from '../../src/api/schema.ts';
import { OUTCOMES, type Outcome } from '../../src/core/outcome.ts';
import { table } from './tables.ts';

/** SCF's list of function status codes; 455 and 456 stand on its page on WebSocket alone, without a name. */
const SCF_CODES: Readonly<Record<number, string>> = {
  200: 'Success',
  401: 'InvalidCredentials',
  405: 'ContainerStateExited',
  406: 'RequestTooLarge',
  407: 'response over the limit',
  429: 'ResourceLimit',
  430: 'User code exception caught',
  432: 'ResourceLimitReached',
  433: 'TimeLimitReached',
  434: 'MemoryLimitReached',
  435: 'FunctionNotFound',
  436: 'InvalidParameterValue',
  438: 'FunctionStatusError',
  439: 'User process exit when running',
  441: 'UnauthorizedOperation',
  444: 'PullImageFailed',
  445: 'ContainerInitError',
  446: 'PortBindingFailed',
  447: 'PullImageTimeOut',
  449: 'InsufficientResources',
  450: 'InitContainerTimeout',
  455: 'idle timeout of a WebSocket',
  456: 'closed by the client of a WebSocket',
  499: 'RequestCanceled',
  500: 'InternalError',
};

/** Every code that a connection can end with, its name in SCF, and the reasons that have it here. */
export function scfCodesTable(): string {
  const codes = new Map<number, string[]>();
  for (const [reason, { code }] of Object.entries<Outcome>(OUTCOMES)) codes.set(code, [...(codes.get(code) ?? []), `\`${reason}\``]);
  const rows = [...codes].sort(([a], [b]) => a - b);
  return table(
    ['code', 'in SCF', 'reasons here'],
    rows.map(([code, reasons]) => {
      const name = SCF_CODES[code];
      if (name === undefined) throw new Error(`what does SCF call the code ${code}?`);
      return [String(code), name, reasons.join(', ')];
    }),
  );
}

/** The fields that SCF has too, with its name for them. */
export function scfFieldsTable(): string {
  const rows = Object.entries(SPEC.properties ?? {}).flatMap(([name, { description = '' }]) => {
    const [, meaning = '', scf] = /^(.*?)\. SCF: ([^:]+?)\.(?: |$)/.exec(description) ?? [];
    return scf === undefined ? [] : [[scf, `\`${name}\``, `${meaning}.`]];
  });
  return table(['SCF', 'here', 'meaning'], rows);
}
