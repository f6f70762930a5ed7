/** @file Tables of text for a terminal. */
import { textWidth } from './text-width.js';
import { visible } from './visible.js';

/** Columns padded to their widest cell, two spaces apart; each cell on one line, by `visible`. */
export function formatTable(rows: readonly (readonly string[])[]): string {
  const cells = rows.map((row) => row.map(visible));
  const widths = (rows[0] ?? []).map((_, column) =>
    cells.reduce((width, row) => Math.max(width, textWidth(row[column] ?? '')), 0),
  );
  const pad = (cell: string, column: number) => cell + ' '.repeat(widths[column]! - textWidth(cell));
  return cells.map((row) => row.map(pad).join('  ').trimEnd()).join('\n');
}
