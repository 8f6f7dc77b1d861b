// The tables of docs/monitoring.md, made from the rules and dashboards.
import { ALERTS } from '../../charts/monitoring/alerts.ts';
import { BOARDS } from '../../charts/monitoring/boards.ts';
import { RECORDING_RULES } from '../../charts/monitoring/recording.ts';
import { table } from './tables.ts';

/** Every alert with its severity and when it fires. */
export function alertsTable(): string {
  return table(
    ['alert', 'severity', 'fires when', 'for'],
    ALERTS.map(({ name, severity, when, for: holds }) => [`[${name}](#${name.toLowerCase()})`, severity, when, holds]),
  );
}

/** What to do at each alert. */
export function runbooks(): string {
  return ALERTS.map(({ name, runbook }) => `### ${name}\n\n${runbook}\n`).join('\n');
}

/** SCF's Cloud Monitor, metric by metric. */
export function scfTable(): string {
  return table(
    ['Cloud Monitor', 'here', 'what it is, of the last 5 minutes'],
    RECORDING_RULES.map(({ scf, record, meaning }) => [scf, `\`${record}\``, meaning]),
  );
}

/** What the dashboards show. */
export function panelsTable(): string {
  return table(
    ['dashboard', 'row', 'panels'],
    BOARDS.flatMap(({ title, rows }) => rows.map((row) => [title, row.title, row.panels.map((panel) => panel.title).join(', ')])),
  );
}
