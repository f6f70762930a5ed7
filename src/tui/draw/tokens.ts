/** @file A text token by token: its colours, its figures, its peak. */
import type { Explanation } from '../../core/explanation.js';
import { textWidth } from '../../core/text-width.js';
import { visible } from '../../core/visible.js';
import { divergingColor, inkOn, palette, sequentialColor } from '../../media/color.js';
import type { Line, Span } from '../../media/styled.js';

/** What the colours of tokens say. */
export type Coloring = 'z' | 'logprob';

/** Nats at which a token counts as wholly unexpected. */
const UNEXPECTED = 12;

/** A token with every blank visible: spaces, newlines, what would move the cursor. */
export function visibleToken(token: string): string {
  return visible(token).replace(/ /g, '·') || '∅';
}

interface Cell {
  readonly token: Span;
  readonly figure: Span;
  readonly width: number;
}

/**
 * The tokens in rows of two lines: the text in colour, below it the figures. The peak is underlined and has a mark.
 *
 * @param selected - a position, shown inverse
 * @param limit - lines at most; the rows around the selected token are kept
 */
export function tokenLines(
  explanation: Explanation,
  {
    coloring,
    selected,
    columns,
    limit,
  }: { coloring: Coloring; selected: number | null; columns: number; limit: number },
): Line[] {
  const cells = explanation.tokens.map((_, position) => cellOf(explanation, position, coloring, selected));
  const rows: { cells: Cell[]; first: number }[] = [];
  let room = 0;
  for (const [position, cell] of cells.entries()) {
    if (rows.length === 0 || room < cell.width + 1) {
      rows.push({ cells: [], first: position });
      room = columns;
    }
    rows.at(-1)!.cells.push(cell);
    room -= cell.width + 1;
  }
  const fit = Math.max(1, Math.floor(limit / 2));
  const focus = selected ?? explanation.peak.position;
  const current = Math.max(
    0,
    rows.findLastIndex(({ first }) => first <= focus),
  );
  const start = Math.max(0, Math.min(current - Math.floor(fit / 2), rows.length - fit));
  return rows
    .slice(start, start + fit)
    .flatMap(({ cells }) => [
      cells.flatMap(({ token, width }) => [token, gap(width - textWidth(token.text) + 1)]),
      cells.flatMap(({ figure, width }) => [figure, gap(width - textWidth(figure.text) + 1)]),
    ]);
}

function gap(columns: number): Span {
  return { text: ' '.repeat(columns) };
}

function cellOf(
  { tokens, z, logprobs, peak }: Explanation,
  position: number,
  coloring: Coloring,
  selected: number | null,
): Cell {
  const text = position === 0 ? 'BOS' : visibleToken(tokens[position]!);
  const value = (coloring === 'z' ? z : logprobs)[position] ?? null;
  const isPeak = position === peak.position;
  const figure = value === null ? '' : `${isPeak ? '▲' : ''}${value.toFixed(1)}`;
  const background =
    value === null
      ? null
      : coloring === 'z'
        ? divergingColor(value / Math.max(4, Math.abs(peak.z)))
        : sequentialColor(-value / UNEXPECTED);
  return {
    width: Math.max(textWidth(text), textWidth(figure)),
    token: {
      text,
      ...(background ? { background, color: inkOn(background) } : { color: palette.muted }),
      ...(isPeak && { bold: true, underline: true }),
      ...(position === selected && { inverse: true }),
    },
    figure: {
      text: figure,
      ...(position === selected ? { inverse: true } : isPeak ? { bold: true } : { color: palette.muted }),
    },
  };
}
