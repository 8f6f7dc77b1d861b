// Unit tests of Prometheus's rules, played by promtool: series that are made up, and what the rules make of them.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promtool } from './prometheus.ts';

/** The rules file that is committed. */
export const RULES_FILE = join(import.meta.dirname, '..', '..', 'charts', 'socketpod', 'files', 'rules', 'socketpod.yaml');

/** A series by its selector, with its values every 30 s in promtool's notation: `0+1x40` is 0, 1, 2 ... 40. */
export type Played = Readonly<Record<string, string>>;

/** An alert that fires, or the value of an expression, at a moment (a PromQL duration from the start). */
export interface Expected {
  readonly alerts?: readonly {
    readonly eval_time: string;
    readonly alertname: string;
    readonly exp_alerts: readonly { readonly exp_labels: object; readonly exp_annotations: object }[];
  }[];
  readonly values?: readonly {
    readonly eval_time: string;
    readonly expr: string;
    readonly exp_samples: readonly { readonly labels: string; readonly value: number }[];
  }[];
}

/** Plays series against the rules; what is not as expected, in promtool's words, empty when all is. */
export function playRules(series: Played, { alerts, values }: Expected): string {
  const folder = mkdtempSync(join(tmpdir(), 'socketpod-rules-'));
  const file = join(folder, 'test.json');
  // JSON is YAML.
  writeFileSync(
    file,
    JSON.stringify({
      rule_files: [RULES_FILE],
      evaluation_interval: '30s',
      tests: [
        {
          interval: '30s',
          input_series: Object.entries(series).map(([series, values]) => ({ series, values })),
          alert_rule_test: alerts ?? [],
          promql_expr_test: values ?? [],
        },
      ],
    }),
  );
  try {
    return promtool(['test', 'rules', file]);
  } finally {
    rmSync(folder, { recursive: true });
  }
}
