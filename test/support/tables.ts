// The tables of the README and of docs/, made from the code: codes from core/outcome.ts, fields from the schema, options from
// config.ts, metrics from metrics/definitions.ts, values of the chart from charts/values.
import { rowsOf } from '../../charts/values/kinds.ts';
import { VALUES } from '../../charts/values/values.ts';
import { SPEC } from '../../src/api/schema.ts';
import { OPTIONS } from '../../src/config.ts';
import { ACCEPTED_REASONS, READY_REASONS, WARM_REASONS } from '../../src/core/conditions.ts';
import { LIMITS } from '../../src/core/limit.ts';
import { type CloseAction, OUTCOMES, type Outcome, outcome } from '../../src/core/outcome.ts';
import { type Label, SERIES } from '../../src/metrics/definitions.ts';

/** A table of Markdown. */
export function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) => `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`;
  return `${[line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n')}\n`;
}

/** Every reason with its code and what each side sees. */
export function codesTable(): string {
  const rows = Object.entries<Outcome>(OUTCOMES).map(([reason, { code, cause, refusal, close }]) => [
    String(code),
    `\`${reason}\``,
    cause,
    refusal ? (refusal.status === 0 ? answerOf(reason) : String(refusal.status)) : '',
    close ? closeOf(close.client) : '',
    close ? closeOf(close.function) : '',
  ]);
  return table(['code', 'reason', 'cause', 'HTTP', 'close to the client', 'close to the function'], rows);
}

function answerOf(reason: string): string {
  return reason === 'client_left' ? '-' : "the function's own";
}

function closeOf(action: CloseAction): string {
  return action === 'none' ? '-' : String(action);
}

/** The fields of the spec; the descriptions are those of `kubectl explain`. */
export function fieldsTable(): string {
  return table(
    ['field', 'meaning'],
    Object.entries(SPEC.properties ?? {}).map(([name, { description = '' }]) => [`\`${name}\``, description]),
  );
}

/** Every option with its environment variable. */
export function optionsTable(): string {
  const options = Object.entries(OPTIONS).map(([name, make]) =>
    name === 'listen' ? OPTIONS.listen('127.0.0.1:8080') : (make as () => ReturnType<typeof OPTIONS.file>)(),
  );
  return table(
    ['option', 'environment', 'meaning'],
    options.map(({ flags, envVar, description }) => [`\`${flags}\``, `\`${envVar}\``, description]),
  );
}

/** Every series with its labels and what they may say. */
export function metricsTable(): string {
  const rows = Object.entries(SERIES).map(([name, { type, labels, help, buckets, of = ['proxy'] }]) => [
    `\`${name}\``,
    of.join(', '),
    type,
    Object.entries(labels).map(labelOf).join(', '),
    buckets ? `${help} Buckets: ${buckets.join(' ')}.` : help,
  ]);
  return table(['name', 'of', 'type', 'labels', 'meaning'], rows);
}

function labelOf([name, values]: [string, Label]): string {
  const says = typeof values === 'string' ? values : values.join(', ');
  return says === '' ? `\`${name}\`` : `\`${name}\` (${says})`;
}

/** Every limit with what sets it and what it does. */
export function limitsTable(): string {
  return table(
    ['limit', 'set by', 'over it'],
    Object.entries(LIMITS).map(([limit, { reason, actions, setBy }]) => [
      `\`${limit}\``,
      `\`${setBy}\``,
      `${outcome(reason).code} \`${reason}\`: ${actions.join(' or ')}`,
    ]),
  );
}

/** Every value of the chart. */
export function valuesTable(): string {
  return table(['value', 'kind', 'default', 'meaning'], rowsOf(VALUES));
}

/** Every reason of every condition, with its meaning. */
export function conditionsTable(): string {
  const reasons = { Accepted: ACCEPTED_REASONS, Ready: READY_REASONS, WarmPodsReady: WARM_REASONS };
  const rows = Object.entries(reasons).flatMap(([type, all]) =>
    Object.entries(all).map(([reason, { status, meaning }]) => [`\`${type}\``, status, `\`${reason}\``, meaning]),
  );
  return table(['condition', 'status', 'reason', 'meaning'], rows);
}
