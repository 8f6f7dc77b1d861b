// The picture: the panels of a board on its grid, as one SVG that reads on light and on dark.
import type { Panel, Row } from '../../charts/monitoring/panel.ts';
import { type Box, chart, escaped, frame, type Line, type Span } from './chart.ts';
import { told } from './scale.ts';

/** What Prometheus answered to a panel: lines over time, or for a stat and a table the values now. */
export interface Answered {
  readonly panel: Panel;
  readonly lines: readonly Line[];
  /** Of a table: its cells, the first two are namespace and function. */
  readonly cells?: readonly (readonly string[])[];
}

/** Rows of the board with what was answered. */
export interface AnsweredRow extends Pick<Row, 'title'> {
  readonly panels: readonly Answered[];
}

const WIDTH = 1200;
const MARGIN = 12;
const GAP = 10;
const COLUMN = (WIDTH - 2 * MARGIN + GAP) / 24;
const HEIGHT = { stat: 74, lines: 206, stack: 206, table: 206 } as const;
const HEAD = 70;
const ROW_TITLE = 26;

const STYLE = `
text { font-family: system-ui, -apple-system, "Segoe UI", Roboto, "DejaVu Sans", sans-serif; fill: #24292f }
.page { fill: #f4f5f7 } .card { fill: #ffffff; stroke: #d9dde3 }
.head { font-size: 20px; font-weight: 600 } .note { font-size: 12px; fill: #57606a } .row { font-size: 13px; font-weight: 600; fill: #57606a }
.title { font-size: 13px; font-weight: 600 } .tick { font-size: 10.5px; fill: #6b7480 } .legend { font-size: 11px }
.stat { font-size: 27px; font-weight: 600 } .cell { font-size: 12px } .column { font-size: 11px; fill: #6b7480 }
.grid { stroke: #8a94a3; stroke-opacity: .22 } .line { fill: none; stroke-width: 1.8; stroke-linejoin: round }
.area { fill-opacity: .5 } .edge { fill: none; stroke-width: 1.2; stroke-linejoin: round }
@media (prefers-color-scheme: dark) {
text { fill: #e6e9ee } .page { fill: #111418 } .card { fill: #1a1e24; stroke: #2d333b }
.note, .row, .tick, .column { fill: #9aa4b1 } .area { fill-opacity: .55 }
}`;

/** The whole picture. */
export function picture(title: string, notes: readonly string[], rows: readonly AnsweredRow[], span: Span): string {
  const parts: string[] = [];
  let y = HEAD;
  for (const { title: rowTitle, panels } of rows) {
    parts.push(`<text class="row" x="${MARGIN}" y="${y + 17}">${escaped(rowTitle)}</text>`);
    y += ROW_TITLE;
    let column = 0;
    let height = 0;
    for (const one of panels) {
      if (column + one.panel.width > 24) {
        y += height + GAP;
        column = 0;
      }
      height = HEIGHT[one.panel.kind];
      const box = { x: MARGIN + column * COLUMN, y, width: one.panel.width * COLUMN - GAP, height };
      parts.push(drawn(one, rounded(box), span));
      column += one.panel.width;
    }
    y += height + 6;
  }
  const head = [
    `<text class="head" x="${MARGIN}" y="28">${escaped(title)}</text>`,
    ...notes.map((note, index) => `<text class="note" x="${MARGIN}" y="${47 + index * 16}">${escaped(note)}</text>`),
  ];
  const height = Math.ceil(y + 6);
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" width="${WIDTH}" height="${height}" role="img">
<title>${escaped(title)}</title>
<style>${STYLE}
</style>
<rect class="page" width="${WIDTH}" height="${height}" rx="8"/>
${[...head, ...parts].join('\n')}
</svg>
`;
}

function rounded({ x, y, width, height }: Box): Box {
  return { x: Math.round(x), y: Math.round(y), width: Math.round(width), height };
}

function drawn(one: Answered, box: Box, span: Span): string {
  if (one.panel.kind === 'table') return table(one, box);
  return one.panel.kind === 'stat' ? stat(one, box) : chart(one.panel, one.lines, box, span);
}

function stat({ panel, lines }: Answered, box: Box): string {
  const value = lines[0]?.values[0];
  const text = value === undefined || !Number.isFinite(value) ? 'no data' : told(value, panel.unit);
  return `${frame(panel.title, box)}<text class="stat" x="${box.x + 12}" y="${box.y + 56}">${escaped(text)}</text>`;
}

function table({ panel, cells = [] }: Answered, box: Box): string {
  const columns = ['function', ...panel.queries.map(({ legend }) => legend)];
  const right = (index: number) => box.x + box.width - 12 - (columns.length - 1 - index) * 62;
  const place = (index: number) => (index === 0 ? `x="${box.x + 12}"` : `x="${right(index)}" text-anchor="end"`);
  const row = (texts: readonly string[], y: number, name: string) =>
    texts.map((text, index) => `<text class="${name}" ${place(index)} y="${y}">${escaped(text)}</text>`).join('');
  const most = Math.floor((box.height - 60) / 20);
  return [
    frame(panel.title, box),
    row(columns, box.y + 42, 'column'),
    ...cells.slice(0, most).map(([namespace, fn, ...values], index) => {
      const y = box.y + 64 + index * 20;
      return `<path class="grid" d="M${box.x + 12} ${y - 15}h${box.width - 24}"/>${row([`${namespace}/${fn}`, ...values], y, 'cell')}`;
    }),
  ].join('\n');
}
