/** @file The evidence beside a candidate, in rows: rivals, attention, logits, substitutions. */

import type { Explanation, TokenValue } from '../../core/explanation.js';
import { clip, textWidth } from '../../core/text-width.js';
import { divergingColor, inkOn, palette, type Rgb } from '../../media/color.js';
import { fitLine, type Line, plain } from '../../media/styled.js';

import { visibleToken } from './tokens.js';

/** A part of the evidence: a title and its rows, as many as there is room for. */
export interface Evidence {
  readonly title: string;
  rows(columns: number, count: number): Line[];
}

/** Everything there is to show of an explanation. */
export function evidenceOf(explanation: Explanation, selected: number): Evidence[] {
  return [
    rivals(explanation),
    ...(explanation.attention ? [attention(explanation, explanation.attention)] : []),
    ...(explanation.logits ? [logits(explanation.logits)] : []),
    substitutions(explanation, selected),
  ];
}

/** The unit against the strongest of its reference class, over the same text. */
function rivals({ unit, score, rivals }: Explanation): Evidence {
  const bars = [
    { unit, z: score, color: palette.caution as Rgb },
    ...rivals.map((rival) => ({ ...rival, color: palette.accent as Rgb })),
  ];
  return {
    title: 'against its rivals, z',
    rows: (columns, count) => {
      if (rivals.length === 0) return [plain('no reference class', { color: palette.muted })];
      return barRows(
        bars.slice(0, count).map(({ unit, z, color }) => ({ label: unit, value: z, color })),
        columns,
      );
    },
  };
}

/** From the peak to where it looks: how much, and what each brought. */
function attention(
  { tokens, peak }: Explanation,
  { weight, contribution }: NonNullable<Explanation['attention']>,
): Evidence {
  const sources = weight
    .map((share, position) => ({ position, share, brought: contribution[position] ?? 0 }))
    .slice(0, peak.position + 1)
    .sort((a, b) => b.share - a.share);
  return {
    title: `${visibleToken(tokens[peak.position] ?? '')} attends to: share, norm`,
    rows: (columns, count) => {
      const shown = sources.slice(0, count).sort((a, b) => a.position - b.position);
      return barRows(
        shown.map(({ position, share, brought }) => ({
          label: `${position} ${position === 0 ? 'BOS' : visibleToken(tokens[position] ?? '')}`,
          value: share,
          color: palette.accent,
          note: ` ${brought.toFixed(1)}`,
        })),
        columns,
        1,
      );
    },
  };
}

/** Which next tokens the unit, at its peak, makes likelier and less likely. */
function logits({ top, bottom }: NonNullable<Explanation['logits']>): Evidence {
  return {
    title: 'next tokens, for and against',
    rows: (columns, count) => {
      const half = Math.floor((columns - 2) / 2);
      return Array.from({ length: Math.min(count, Math.max(top.length, bottom.length)) }, (_, i) => [
        ...fitLine(tokenValue(top[i], half, palette.caution), half),
        { text: '  ' },
        ...fitLine(tokenValue(bottom[i], half, palette.accent), half),
      ]);
    },
  };
}

function tokenValue(entry: TokenValue | undefined, columns: number, color: Rgb): Line {
  if (!entry) return [];
  const value = entry.value >= 0 ? `+${entry.value.toFixed(2)}` : entry.value.toFixed(2);
  const token = clip(visibleToken(entry.token), columns - value.length - 1);
  return [
    { text: token.padEnd(token.length + columns - textWidth(token) - value.length) },
    { text: value, color },
  ];
}

/** What z becomes with another token in one place. */
function substitutions({ tokens, substitutions, score }: Explanation, selected: number): Evidence {
  const tried = substitutions[selected] ?? [];
  const token = selected === 0 ? 'BOS' : visibleToken(tokens[selected] ?? '');
  return {
    title: `z ${score.toFixed(1)} with another ${token}`,
    rows: (columns, count) => {
      if (tried.length === 0) return [plain('nothing was tried here', { color: palette.muted })];
      const most = Math.max(score, ...tried.map(({ value }) => value));
      return barRows(
        tried.slice(0, count).map(({ token, value }) => ({
          label: visibleToken(token),
          value,
          color: value > score ? palette.caution : palette.accent,
          note: ` (${value >= score ? '+' : ''}${(value - score).toFixed(1)})`,
        })),
        columns,
        most,
      );
    },
  };
}

/** A row for each token after BOS: what z becomes with each of the tokens that were tried in its place. */
export function drawSubstitutions(
  { tokens, substitutions, score }: Explanation,
  selected: number,
  columns: number,
): Line[] {
  const labels = tokens.map((token, position) => `${position} ${visibleToken(token)}`);
  const labelWidth = Math.max(...labels.map((label) => textWidth(label)));
  const most = Math.max(1, ...substitutions.map((tried) => tried.length));
  const width = Math.min(24, Math.floor((columns - labelWidth) / most) - 2);
  return substitutions.slice(1).map((tried, i) => [
    { ...fitLine(plain(labels[i + 1]!), labelWidth)[0]!, inverse: i + 1 === selected },
    { text: ' '.repeat(labelWidth - textWidth(labels[i + 1]!)) },
    ...tried.flatMap(({ token, value }): Line => {
      const background = divergingColor((value - score) / Math.max(2, Math.abs(score)));
      const figure = value.toFixed(1);
      const name = clip(visibleToken(token), width - figure.length - 1);
      const gap = ' '.repeat(Math.max(1, width - textWidth(name) - figure.length));
      return [{ text: '  ' }, { text: `${name}${gap}${figure}`, background, color: inkOn(background) }];
    }),
  ]);
}

interface Bar {
  readonly label: string;
  readonly value: number;
  readonly color: Rgb;
  readonly note?: string;
}

/** Bars from a common zero: blank for what is below it. @param most - the value of a full bar */
function barRows(
  bars: readonly Bar[],
  columns: number,
  most = Math.max(...bars.map(({ value }) => value)),
): Line[] {
  const figures = bars.map(({ value, note = '' }) => `${value.toFixed(2)}${note}`);
  const figureWidth = Math.max(...figures.map((figure) => textWidth(figure)));
  const labelWidth = Math.min(
    Math.floor(columns / 3),
    Math.max(...bars.map(({ label }) => textWidth(label))),
  );
  const room = Math.max(0, columns - labelWidth - figureWidth - 2);
  return bars.map(({ label, value, color }, i) => {
    const share = most > 0 ? Math.min(1, Math.max(0, value / most)) : 0;
    return [
      ...fitLine(plain(label), labelWidth),
      { text: ' ' },
      ...fitLine(plain(bar(share, room), { color }), room),
      { text: ` ${figures[i]!.padStart(figureWidth)}` },
    ];
  });
}

/** A bar in eighths of a character. */
function bar(share: number, columns: number): string {
  const eighths = Math.round(share * columns * 8);
  return '█'.repeat(eighths >> 3) + ['', '▏', '▎', '▍', '▌', '▋', '▊', '▉'][eighths & 7];
}
