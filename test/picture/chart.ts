// A panel over time as SVG: axes with units, lines or stacked areas, and a legend.
import { colorsOf, PALETTE } from '../../charts/monitoring/colors.ts';
import type { Panel, Unit } from '../../charts/monitoring/panel.ts';
import { clock, ticks, told } from './scale.ts';

/** Where something is drawn, in pixels. */
export interface Box {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

/** A series of an answer: its legend, its query's legend, and a value for each step; NaN where there is none. */
export interface Line {
  readonly name: string;
  readonly template: string;
  readonly values: readonly number[];
}

/** The steps of all panels. */
export interface Span {
  readonly seconds: number;
  readonly step: number;
}

const LEFT = 48;
const TOP = 34;
const BOTTOM = 22;
const LEGEND_LINE = 16;
/** About what a character of the legend takes; its font is the reader's. */
const CHARACTER = 6.4;

/** Text that may stand in SVG. */
export function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}

const round = (value: number) => Number(value.toFixed(1));

/** The panel with its frame. */
export function chart(panel: Panel, lines: readonly Line[], box: Box, span: Span): string {
  const colors = lines.map(({ name, template }, index) => colorsOf(template)[name] ?? PALETTE[index % PALETTE.length] ?? '');
  const legend = legendOf(lines, colors, box);
  const plot: Box = {
    x: box.x + LEFT,
    y: box.y + TOP,
    width: box.width - LEFT - 20,
    height: box.height - TOP - BOTTOM - legend.height,
  };
  const stacked = panel.kind === 'stack';
  const tops = stacked ? stack(lines) : lines.map(({ values }) => values);
  const marks = ticks(Math.max(0, ...tops.flat().filter(Number.isFinite)));
  const max = marks.at(-1) ?? 1;
  const y = (value: number) => round(plot.y + plot.height * (1 - value / max));
  const x = (index: number) => round(plot.x + (plot.width * index * span.step) / span.seconds);
  const shapes = tops
    .map((top, index) => {
      const below = stacked && index > 0 ? tops[index - 1] : undefined;
      return stacked
        ? area(top, below, colors[index] ?? '', x, y)
        : `<path d="${path(top, x, y)}" class="line" stroke="${colors[index]}"/>`;
    })
    .reverse();
  return [frame(panel.title, box), axes(marks, panel.unit, plot, y, span), ...shapes, legend.svg].join('\n');
}

/** A card with a title. */
export function frame(title: string, { x, y, width, height }: Box): string {
  return `<rect class="card" x="${x}" y="${y}" width="${width}" height="${height}" rx="6"/><text class="title" x="${x + 12}" y="${y + 21}">${escaped(title)}</text>`;
}

function axes(marks: readonly number[], unit: Unit, plot: Box, y: (value: number) => number, { seconds }: Span): string {
  const across = marks.map(
    (mark) =>
      `<path class="grid" d="M${plot.x} ${y(mark)}h${plot.width}"/><text class="tick" x="${plot.x - 6}" y="${y(mark) + 4}" text-anchor="end">${escaped(told(mark, unit))}</text>`,
  );
  const step = [10, 15, 30, 60, 120, 300, 600].find((one) => (seconds / one) * 46 < plot.width) ?? 1800;
  const down = Array.from({ length: Math.floor(seconds / step) + 1 }, (_, index) => {
    const at = round(plot.x + (plot.width * index * step) / seconds);
    return `<path class="grid" d="M${at} ${plot.y}v${plot.height}"/><text class="tick" x="${at}" y="${plot.y + plot.height + 15}" text-anchor="middle">${clock(index * step)}</text>`;
  });
  return [...across, ...down].join('');
}

/** The sums of each series and those before it; a gap where none has a value. */
function stack(lines: readonly Line[]): number[][] {
  const length = Math.max(0, ...lines.map(({ values }) => values.length));
  const sums: number[] = Array(length).fill(0);
  const none = sums.map((_, at) => lines.every(({ values }) => !Number.isFinite(values[at])));
  return lines.map(({ values }) =>
    sums.map((sum, at) => {
      const value = values[at] ?? 0;
      sums[at] = sum + (Number.isFinite(value) ? value : 0);
      return none[at] ? Number.NaN : (sums[at] ?? 0);
    }),
  );
}

/** Runs of indexes that have a value. */
function runs(values: readonly number[]): number[][] {
  const all: number[][] = [];
  for (const [index, value] of values.entries()) {
    if (!Number.isFinite(value)) continue;
    const last = all.at(-1);
    if (last?.at(-1) === index - 1) last.push(index);
    else all.push([index]);
  }
  return all;
}

type At = (value: number) => number;

function path(values: readonly number[], x: At, y: At): string {
  return runs(values)
    .map((run) => `M${run.map((index) => `${x(index)} ${y(values[index] ?? 0)}`).join('L')}${run.length === 1 ? 'h1' : ''}`)
    .join('');
}

function area(top: readonly number[], below: readonly number[] | undefined, color: string, x: At, y: At): string {
  const d = runs(top)
    .map((run) => {
      const back = [...run].reverse().map((index) => `${x(index)} ${y(below?.[index] ?? 0)}`);
      return `M${run.map((index) => `${x(index)} ${y(top[index] ?? 0)}`).join('L')}L${back.join('L')}Z`;
    })
    .join('');
  return `<path d="${d}" class="area" fill="${color}"/><path d="${path(top, x, y)}" class="edge" stroke="${color}"/>`;
}

function legendOf(lines: readonly Line[], colors: readonly string[], box: Box): { svg: string; height: number } {
  const right = box.x + box.width - 10;
  let x = box.x + 12;
  let row = 0;
  const places = lines.map(({ name }) => {
    const width = 16 + name.length * CHARACTER + 12;
    if (x + width > right && x > box.x + 12) {
      x = box.x + 12;
      row++;
    }
    const place = { x: round(x), row };
    x += width;
    return place;
  });
  const height = (row + 1) * LEGEND_LINE;
  const top = box.y + box.height - height - 2;
  const svg = lines.map(({ name }, index) => {
    const at = places[index] ?? { x: 0, row: 0 };
    const y = top + at.row * LEGEND_LINE;
    return `<rect x="${at.x}" y="${y}" width="10" height="10" rx="2" fill="${colors[index]}"/><text class="legend" x="${at.x + 15}" y="${y + 9}">${escaped(name)}</text>`;
  });
  return { svg: svg.join(''), height };
}
