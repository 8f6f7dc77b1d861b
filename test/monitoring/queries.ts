// Every PromQL expression of the rules and the dashboards, and what it names.
import { parser } from '@prometheus-io/lezer-promql';
import { ALERTS } from '../../charts/monitoring/alerts.ts';
import { BOARDS } from '../../charts/monitoring/boards.ts';
import { type Board, substituted, type Variables } from '../../charts/monitoring/panel.ts';
import { RECORDING_RULES } from '../../charts/monitoring/recording.ts';

/** An expression, and where it stands. */
export interface Placed {
  readonly where: string;
  readonly expr: string;
}

/** Those of the panels as Prometheus gets them. */
export function panelQueries(variables: (board: Board) => Variables): Placed[] {
  return BOARDS.flatMap((board) =>
    board.rows.flatMap(({ panels }) =>
      panels.flatMap(({ title, queries }) =>
        queries.map(({ expr, legend }) => ({
          where: `${board.title}: ${title}: ${legend}`,
          expr: substituted(expr, variables(board)),
        })),
      ),
    ),
  );
}

/** Those of the rules. */
export const RULE_QUERIES: readonly Placed[] = [
  ...RECORDING_RULES.map(({ record, expr }) => ({ where: record, expr })),
  ...ALERTS.map(({ name, expr }) => ({ where: name, expr })),
];

/** A selector of series: its name, or what its name has to match, and its label matchers. */
export interface Selector {
  readonly name: string;
  readonly nameMatches?: RegExp;
  readonly labels: readonly string[];
}

/** What is wrong with an expression's syntax, and what it selects. */
export function read(expr: string): { faults: string[]; selectors: Selector[] } {
  const faults: string[] = [];
  const selectors: Selector[] = [];
  parser.parse(expr).iterate({
    enter(node) {
      const text = (from: number, to: number) => expr.slice(from, to);
      if (node.type.isError) faults.push(`at ${node.from}: ${text(node.from, node.from + 20)}`);
      if (node.name !== 'VectorSelector') return;
      const matchers = [...text(node.from, node.to).matchAll(/(\w+)\s*(?:=~|!~|!=|=)\s*"((?:[^"\\]|\\.)*)"/g)];
      const named = matchers.find(([, label]) => label === '__name__')?.[2];
      selectors.push({
        name: /^[\w:]*/.exec(text(node.from, node.to))?.[0] ?? '',
        ...(named !== undefined && { nameMatches: new RegExp(`^(?:${named})$`) }),
        labels: matchers.map(([, label = '']) => label).filter((label) => label !== '__name__'),
      });
    },
  });
  return { faults, selectors };
}
