/** @file Points and lines in braille dots, with axes: 2 x 4 dots a character. */
import { textWidth } from '../../core/text-width.js';
import { palette, type Rgb } from '../../media/color.js';
import { fitLine, type Line, type Span } from '../../media/styled.js';

/** A place on a plot, in its own units. */
export interface Mark {
  readonly x: number;
  readonly y: number;
  readonly color: Rgb;
  /** A character instead of a dot; it stands over dots, later ones over earlier ones. */
  readonly glyph?: string;
  readonly bold?: boolean;
}

/** Dots joined by straight lines. */
export interface Path {
  readonly points: readonly { readonly x: number; readonly y: number }[];
  readonly color: Rgb;
}

export interface PlotAxis {
  readonly label: string;
  readonly min: number;
  readonly max: number;
}

export interface Plot {
  readonly x: PlotAxis;
  readonly y: PlotAxis;
  /** Drawn first. */
  readonly paths?: readonly Path[];
  readonly marks: readonly Mark[];
}

/** Bits of a braille character by dot: `[column + 2 * row]`. */
const DOTS = [0x01, 0x08, 0x02, 0x10, 0x04, 0x20, 0x40, 0x80] as const;

/** An axis that holds all values, with a little room; `around` when there are none. */
export function axisOver(
  label: string,
  values: Iterable<number>,
  around: readonly [number, number],
): PlotAxis {
  let [low, high] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (const value of values) {
    if (!Number.isFinite(value)) continue;
    low = Math.min(low, value);
    high = Math.max(high, value);
  }
  if (low > high) [low, high] = around;
  const room = (high - low) * 0.05 || Math.max(Math.abs(high) * 0.05, 0.5);
  return { label, min: low - room, max: high + room };
}

/** Round numbers within an axis, at most `count`. */
export function ticks({ min, max }: PlotAxis, count: number): number[] {
  const rough = (max - min) / Math.max(1, count);
  if (!(rough > 0)) return [min];
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = power * ([1, 2, 5, 10].find((factor) => factor * power >= rough) ?? 10);
  const first = Math.ceil(min / step);
  const last = Math.floor(max / step + 1e-9);
  return Array.from({ length: Math.max(0, last - first + 1) }, (_, i) =>
    Number(((first + i) * step).toPrecision(12)),
  );
}

/** The plot in exactly `columns` x `rows` characters. */
export function drawPlot(plot: Plot, columns: number, rows: number): Line[] {
  const height = rows - 1;
  if (height < 1 || columns < 12) return [];
  const yTicks = new Map(
    ticks(plot.y, Math.max(2, height / 2)).map((tick) => [rowOf(plot.y, tick, height), tick]),
  );
  const gutter = Math.max(
    1,
    textWidth(plot.y.label),
    ...[...yTicks.values()].map((tick) => String(tick).length),
  );
  const width = columns - gutter - 1;
  if (width < 1) return [];
  const cells = drawCells(plot, width, height);
  const lines = cells.map((cells, row): Line => {
    const tick = yTicks.get(row);
    const label = row === 0 ? plot.y.label : tick === undefined ? '' : String(tick);
    const edge = tick === undefined ? '│' : '┤';
    return [{ text: `${label.padStart(gutter)}${edge}`, color: palette.muted }, ...mergeCells(cells)];
  });
  return [...lines, xAxis(plot.x, width, gutter)];
}

interface Cell {
  bits: number;
  glyph: string;
  color: Rgb | null;
  bold: boolean;
}

function drawCells({ x, y, paths = [], marks }: Plot, width: number, height: number): Cell[][] {
  const cells = Array.from({ length: height }, () =>
    Array.from({ length: width }, (): Cell => ({ bits: 0, glyph: '', color: null, bold: false })),
  );
  const place = (axis: PlotAxis, value: number, dots: number) =>
    Math.round(((value - axis.min) / (axis.max - axis.min)) * (dots - 1));
  const dotX = (value: number) => place(x, value, 2 * width);
  const dotY = (value: number) => 4 * height - 1 - place(y, value, 4 * height);
  const put = (column: number, row: number, change: (cell: Cell) => void) => {
    const cell = cells[row >> 2]?.[column >> 1];
    if (cell) change(cell);
  };
  const dot = (column: number, row: number, color: Rgb) =>
    put(column, row, (cell) => {
      cell.bits |= DOTS[(column & 1) + 2 * (row & 3)]!;
      cell.color = color;
    });
  for (const { points, color } of paths) {
    for (const [i, point] of points.entries()) {
      const from = points[Math.max(0, i - 1)]!;
      const [x0, y0, x1, y1] = [dotX(from.x), dotY(from.y), dotX(point.x), dotY(point.y)];
      const count = Math.max(Math.abs(x1 - x0), Math.abs(y1 - y0), 1);
      for (let k = 0; k <= count; k++)
        dot(Math.round(x0 + ((x1 - x0) * k) / count), Math.round(y0 + ((y1 - y0) * k) / count), color);
    }
  }
  for (const { x, y, color, glyph, bold } of marks) {
    if (!Number.isFinite(x) || !Number.isFinite(y)) continue;
    if (glyph === undefined) dot(dotX(x), dotY(y), color);
    else put(dotX(x), dotY(y), (cell) => Object.assign(cell, { glyph, color, bold: bold ?? false }));
  }
  return cells;
}

/** Cells of one style as one piece of text. */
function mergeCells(cells: readonly Cell[]): Span[] {
  const spans: { text: string; color?: Rgb; bold?: boolean }[] = [];
  for (const { bits, glyph, color, bold } of cells) {
    const text = glyph || (bits === 0 ? ' ' : String.fromCharCode(0x2800 + bits));
    const last = spans.at(-1);
    if (last && (last.color ?? null) === color && (last.bold ?? false) === bold) last.text += text;
    else spans.push({ text, ...(color && { color }), ...(bold && { bold }) });
  }
  return spans;
}

function rowOf(axis: PlotAxis, value: number, height: number): number {
  const dots = 4 * height - 1;
  return (dots - Math.round(((value - axis.min) / (axis.max - axis.min)) * dots)) >> 2;
}

function xAxis(axis: PlotAxis, width: number, gutter: number): Line {
  const row = Array<string>(width).fill('─');
  const end = width - textWidth(axis.label) - 1;
  for (const tick of ticks(axis, width / 10)) {
    const text = String(tick);
    const at = Math.round(((tick - axis.min) / (axis.max - axis.min)) * (width - 1));
    const start = at - Math.floor(text.length / 2);
    if (start >= 0 && start + text.length < end) row.splice(start, text.length, ...text);
  }
  row.splice(Math.max(0, end), axis.label.length + 1, ' ', ...axis.label);
  return fitLine(
    [{ text: `${' '.repeat(gutter)}└${row.join('')}`, color: palette.muted }],
    gutter + 1 + width,
  );
}
