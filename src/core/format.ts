/** @file Quantities and tables as people read them. */

/** `8,432`; whole numbers from 1,000 on, three digits below. */
export function formatCount(value: number): string {
  if (Math.abs(value) >= 999.5 || Number.isInteger(value)) return Math.round(value).toLocaleString('en-US');
  return String(Number(value.toPrecision(3)));
}

/** `23.4 MB`, in powers of 1,000. */
export function formatBytes(bytes: number): string {
  const units = ['B', 'kB', 'MB', 'GB', 'TB'];
  const power = bytes < 1 ? 0 : Math.min(Math.floor(Math.log10(bytes) / 3), units.length - 1);
  return `${formatCount(bytes / 1000 ** power)} ${units[power]}`;
}

/** `7 s`, `3 min 20 s`, `2 h 5 min`. */
export function formatSeconds(seconds: number): string {
  const whole = Math.ceil(seconds);
  if (whole < 60) return `${whole} s`;
  if (whole < 3600) return `${Math.floor(whole / 60)} min ${whole % 60} s`;
  return `${Math.floor(whole / 3600)} h ${Math.floor((whole % 3600) / 60)} min`;
}

/** Columns padded to their widest cell, two spaces apart. */
export function formatTable(rows: readonly (readonly string[])[]): string {
  const widths = (rows[0] ?? []).map((_, column) =>
    Math.max(...rows.map((row) => textWidth(row[column] ?? ''))),
  );
  const pad = (cell: string, column: number) => cell + ' '.repeat(widths[column]! - textWidth(cell));
  return rows.map((row) => row.map(pad).join('  ').trimEnd()).join('\n');
}

/** Columns a text takes on a terminal, never too few: what is not Latin, Greek or Cyrillic counts double. */
export function textWidth(text: string): number {
  let width = 0;
  for (const { codePoint } of points(text)) width += codePoint < 0x1100 || isNarrow(codePoint) ? 1 : 2;
  return width;
}

/** Cuts a text to at most so many columns, the last of them an ellipsis where something was cut. */
export function clip(text: string, columns: number): string {
  if (textWidth(text) <= columns) return text;
  let kept = '';
  for (const { character } of points(text)) {
    if (textWidth(kept + character) > columns - 1) break;
    kept += character;
  }
  return columns < 1 ? '' : `${kept}…`;
}

/** A text on one line, with what would move the cursor made visible. */
export function oneLine(text: string): string {
  return text.replace(/\r?\n/g, '⏎').replace(/\p{Cc}|\p{Cf}|\p{Zl}|\p{Zp}|\p{Cs}/gu, '·');
}

/** General punctuation, arrows, mathematical signs, block elements and braille stand in one column, the clocks do not. */
function isNarrow(codePoint: number): boolean {
  const clock = codePoint === 0x231a || codePoint === 0x231b || (codePoint >= 0x23e9 && codePoint <= 0x23f3);
  const braille = codePoint >= 0x2800 && codePoint < 0x2900;
  return braille || (codePoint >= 0x2010 && codePoint < 0x2600 && !clock);
}

function* points(text: string): Generator<{ character: string; codePoint: number }> {
  for (const character of text) yield { character, codePoint: character.codePointAt(0)! };
}
