/** @file Lines side by side, under titles, in tables: the little there is of layout. */
import { textWidth } from '../../core/text-width.js';
import { visible } from '../../core/visible.js';
import { palette } from '../../media/color.js';
import { fitLine, type Line, plain, type Style } from '../../media/styled.js';

/** A title in a rule: `── candidates ─────`. */
export function rule(title: string, columns: number): Line {
  const start = `── ${title} `;
  return fitLine(
    [
      { text: '── ', color: palette.muted },
      { text: `${title} `, color: palette.accent },
      { text: '─'.repeat(Math.max(0, columns - textWidth(start))), color: palette.muted },
    ],
    columns,
  );
}

/** Exactly so many lines, each with exactly so many columns. */
export function fitBlock(lines: readonly Line[], columns: number, rows: number): Line[] {
  return Array.from({ length: Math.max(0, rows) }, (_, row) => fitLine(lines[row] ?? [], columns));
}

/** Blocks side by side, two columns between them. */
export function beside(blocks: readonly (readonly Line[])[]): Line[] {
  const rows = Math.max(...blocks.map((lines) => lines.length));
  return Array.from({ length: rows }, (_, row) =>
    blocks.flatMap((lines, i) => [...(i > 0 ? [{ text: '  ' }] : []), ...(lines[row] ?? [])]),
  );
}

/** Widths of `count` blocks that `beside` makes fill the columns. */
export function shares(columns: number, count: number): number[] {
  const room = Math.max(0, columns - 2 * (count - 1));
  return Array.from(
    { length: count },
    (_, i) => Math.floor(((i + 1) * room) / count) - Math.floor((i * room) / count),
  );
}

/** A column of a table. */
export interface Column<Row> {
  readonly title: string;
  readonly width: number;
  /** To the right, as figures stand. */
  readonly right?: boolean;
  readonly text: (row: Row) => string;
  readonly style?: (row: Row) => Style;
}

/**
 * A list that scrolls: only the rows that are seen are made. The selected row stays in sight and stands out.
 *
 * @param rows - with the line of titles
 */
export function drawList<Row>(
  list: readonly Row[],
  columnsOf: readonly Column<Row>[],
  { selected, columns, rows }: { selected: number; columns: number; rows: number },
): Line[] {
  const seen = Math.max(0, rows - 1);
  const start = Math.max(0, Math.min(selected - Math.floor(seen / 2), list.length - seen));
  const header = columnsOf.flatMap(({ title, width, right }) =>
    cell(title, width, right, { color: palette.muted }),
  );
  const lines = list.slice(start, start + seen).map((row, i): Line => {
    const chosen = start + i === selected;
    const spans = columnsOf.flatMap(({ width, right, text, style }) =>
      cell(text(row), width, right, chosen ? {} : (style?.(row) ?? {})),
    );
    const line = fitLine([{ text: chosen ? '▸ ' : '  ' }, ...spans], columns);
    return chosen ? line.map((span) => ({ ...span, inverse: true })) : line;
  });
  return fitBlock([[{ text: '  ' }, ...header], ...lines], columns, rows);
}

function cell(content: string, width: number, right = false, style: Style = {}): Line {
  const text = visible(content);
  const padding = right ? Math.max(0, width - textWidth(text)) : 0;
  return fitLine([{ text: ' '.repeat(padding) }, { ...style, text }], width + 1);
}

/** Wraps plain text, made visible, at blanks. */
export function wrap(text: string, columns: number, style: Style = {}): Line[] {
  const lines: string[] = [''];
  for (const word of visible(text).split(' ')) {
    const longer = lines.at(-1) === '' ? word : `${lines.at(-1)} ${word}`;
    if (textWidth(longer) <= columns) lines[lines.length - 1] = longer;
    else lines.push(word);
  }
  return lines.map((line) => plain(line, style));
}
