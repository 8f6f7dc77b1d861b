// A board as Grafana's JSON, by Grafana's own SDK.
import {
  BigValueColorMode,
  BigValueGraphMode,
  type DataSourceRef,
  LegendDisplayMode,
  LegendPlacement,
  ReduceDataOptionsBuilder,
  SortOrder,
  StackingConfigBuilder,
  StackingMode,
  TooltipDisplayMode,
  VisibilityMode,
  VizLegendOptionsBuilder,
  VizTooltipOptionsBuilder,
} from '@grafana/grafana-foundation-sdk/common';
import {
  DashboardBuilder,
  DashboardCursorSync,
  DashboardLinkBuilder,
  DashboardLinkType,
  DatasourceVariableBuilder,
  QueryVariableBuilder,
  RowBuilder,
  VariableRefresh,
  VariableSort,
} from '@grafana/grafana-foundation-sdk/dashboard';
import { DataqueryBuilder, PromQueryFormat } from '@grafana/grafana-foundation-sdk/prometheus';
import { PanelBuilder as StatBuilder } from '@grafana/grafana-foundation-sdk/stat';
import { PanelBuilder as TableBuilder } from '@grafana/grafana-foundation-sdk/table';
import { PanelBuilder as TimeseriesBuilder } from '@grafana/grafana-foundation-sdk/timeseries';
import { BOARDS } from './boards.ts';
import { colorsOf } from './colors.ts';
import type { Board, Panel, Query } from './panel.ts';

/** Rows of the grid, about 30 px each. */
const HEIGHT = { stat: 4, lines: 8, stack: 8, table: 8 } as const;

const DATASOURCE: DataSourceRef = { type: 'prometheus', uid: '$datasource' };

/** The JSON file of a board. */
export function dashboardJson(board: Board): string {
  return `${JSON.stringify(dashboard(board).build(), null, 2)}\n`;
}

function dashboard({ uid, title, description, functions, rows }: Board): DashboardBuilder {
  const builder = new DashboardBuilder(title)
    .uid(uid)
    .description(description)
    .tags(['socketpod'])
    .timezone('browser')
    .editable()
    .time({ from: 'now-1h', to: 'now' })
    .refresh('30s')
    .tooltip(DashboardCursorSync.Crosshair)
    .link(new DashboardLinkBuilder('Socketpod').type(DashboardLinkType.Dashboards).tags(['socketpod']).includeVars(true).keepTime(true))
    .withVariable(new DatasourceVariableBuilder('datasource').label('Data source').type('prometheus'))
    .withVariable(variable('namespace', 'label_values(socketpod_open_connections, function_namespace)', functions))
    .withVariable(variable('function', 'label_values(socketpod_open_connections{function_namespace=~"$namespace"}, function)', functions));
  let id = 0;
  for (const row of rows) {
    builder.withRow(new RowBuilder(row.title).id(++id));
    for (const panel of row.panels) builder.withPanel(drawn(panel).id(++id));
  }
  return builder;
}

function variable(name: string, query: string, functions: Board['functions']): QueryVariableBuilder {
  const several = functions === 'several';
  const builder = new QueryVariableBuilder(name)
    .label(name === 'namespace' ? 'Namespace' : 'Function')
    .datasource(DATASOURCE)
    .query(query)
    .refresh(VariableRefresh.OnTimeRangeChanged)
    .sort(VariableSort.AlphabeticalAsc)
    .multi(several)
    .includeAll(several);
  // What belongs to no function is there only if all are.
  return several ? builder.allValue('.*').current({ selected: true, text: 'All', value: '$__all' }) : builder.regex('/.+/');
}

function drawn(panel: Panel): StatBuilder | TableBuilder | TimeseriesBuilder {
  if (panel.kind === 'stat')
    return common(new StatBuilder(), panel)
      .graphMode(BigValueGraphMode.None)
      .colorMode(BigValueColorMode.None)
      .reduceOptions(new ReduceDataOptionsBuilder().calcs(['lastNotNull']).values(false));
  return panel.kind === 'table' ? table(panel) : overTime(panel);
}

/** What every kind of panel has. */
function common<B extends StatBuilder | TableBuilder | TimeseriesBuilder>(builder: B, panel: Panel): B {
  const { title, description, unit, width, kind, queries } = panel;
  builder.title(title).description(description).datasource(DATASOURCE).unit(unit).span(width).height(HEIGHT[kind]);
  for (const [index, query] of queries.entries()) builder.withTarget(target(query, index, kind));
  return builder;
}

function target({ expr, legend }: Query, index: number, kind: Panel['kind']): DataqueryBuilder {
  const builder = new DataqueryBuilder().refId(refId(index)).datasource(DATASOURCE).expr(expr).legendFormat(legend);
  if (kind === 'table') return builder.instant().format(PromQueryFormat.Table);
  return kind === 'stat' ? builder.instant() : builder.range();
}

function refId(index: number): string {
  return String.fromCharCode('A'.charCodeAt(0) + index);
}

function overTime(panel: Panel): TimeseriesBuilder {
  const stacked = panel.kind === 'stack';
  const builder = common(new TimeseriesBuilder(), panel)
    .min(0)
    .lineWidth(1)
    .fillOpacity(stacked ? 40 : 0)
    .showPoints(VisibilityMode.Never)
    .stacking(new StackingConfigBuilder().mode(stacked ? StackingMode.Normal : StackingMode.None))
    .legend(new VizLegendOptionsBuilder().displayMode(LegendDisplayMode.List).placement(LegendPlacement.Bottom).showLegend(true).calcs([]))
    .tooltip(new VizTooltipOptionsBuilder().mode(TooltipDisplayMode.Multi).sort(SortOrder.Descending));
  for (const [name, fixedColor] of panel.queries.flatMap(({ legend }) => Object.entries(colorsOf(legend))))
    builder.overrideByName(name, [{ id: 'color', value: { mode: 'fixed', fixedColor } }]);
  return builder;
}

/** Rows of the same labels become one, and its columns get the names of the queries. */
function table(panel: Panel): TableBuilder {
  const { queries, units = {} } = panel;
  const names = queries.map(({ legend }, index) => [`Value #${refId(index)}`, legend] as const);
  const builder = common(new TableBuilder(), panel)
    .withTransformation({ id: 'merge', options: {} })
    .withTransformation({
      id: 'organize',
      options: {
        excludeByName: { Time: true },
        renameByName: { function_namespace: 'namespace', ...Object.fromEntries(names) },
        indexByName: Object.fromEntries(['function_namespace', 'function', ...names.map(([value]) => value)].map((name, at) => [name, at])),
      },
    })
    .withTransformation({ id: 'sortBy', options: { sort: [{ field: queries[0]?.legend, desc: true }] } });
  for (const [name, unit] of Object.entries(units)) builder.overrideByName(name, [{ id: 'unit', value: unit }]);
  return builder;
}

/** Every dashboard by the name of its file. */
export const DASHBOARD_FILES = Object.fromEntries(
  BOARDS.map((board) => [`${board.uid.replace('socketpod-', '')}.json`, () => dashboardJson(board)]),
);
