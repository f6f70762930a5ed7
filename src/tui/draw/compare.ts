/** @file Two runs or two candidates side by side. */
import type { Explanation } from '../../core/explanation.js';
import { fluencyFront } from '../../core/frontier.js';
import { palette, type Rgb } from '../../media/color.js';
import { fitLine, type Line, plain } from '../../media/styled.js';
import { settingsOf } from '../../runs/description.js';
import type { RunSnapshot } from '../run-source.js';
import { drawEvidence, drawFigures, type TextFigures } from './candidate.js';
import { drawCandidates } from './candidate-list.js';
import { drawFrontier } from './frontier-plot.js';
import { beside, fitBlock, rule, shares, wrap } from './layout.js';
import { drawTitle, outcome } from './run-header.js';
import { type Coloring, tokenLines } from './tokens.js';

const sideColors: readonly [Rgb, Rgb] = [palette.accent, palette.caution];

/** Both frontiers over each other, then what each run found. */
export function drawRunComparison(
  runs: readonly [RunSnapshot, RunSnapshot],
  columns: number,
  rows: number,
): Line[] {
  const plotRows = Math.floor(rows * 0.5);
  const widths = shares(columns, 2);
  const plot = [
    rule('frontiers: z against nats a token', columns),
    ...drawFrontier(
      runs.map(({ view }, i) => ({ view, color: sideColors[i]! })),
      null,
      columns,
      plotRows - 1,
    ),
  ];
  const sides = runs.map((run, i) => {
    const width = widths[i]!;
    const front = fluencyFront(run.view.frontier);
    return fitBlock(
      [
        [{ text: '● ', color: sideColors[i]! }, ...drawTitle(run, width - 2)],
        fitLine(plain(outcome(run.view)), width),
        fitLine(plain(settingsLine(run), { color: palette.muted }), width),
        rule('its front, from probable to strong', width),
        ...drawCandidates(front, { selected: -1, columns: width, rows: rows - plotRows - 4, marked: null }),
      ],
      width,
      rows - plotRows,
    );
  });
  return [...fitBlock(plot, columns, plotRows), ...beside(sides)];
}

function settingsLine({ description }: RunSnapshot): string {
  const settings = description ? settingsOf(description).filter(([, value]) => value !== null) : [];
  const words = settings.map(
    ([name, value]) => `${name} ${typeof value === 'string' ? value : JSON.stringify(value)}`,
  );
  return words.join(', ');
}

/** One side of a comparison of candidates. */
export interface ComparedText {
  readonly unit: string;
  readonly text: string;
  readonly figures: TextFigures | null;
  readonly explanation: Explanation | null;
  /** What is waited for, or went wrong. */
  readonly status: string;
}

/** Two texts: figures with their difference, tokens, evidence. */
export function drawTextComparison(
  texts: readonly [ComparedText, ComparedText],
  coloring: Coloring,
  columns: number,
  rows: number,
): Line[] {
  const widths = shares(columns, 2);
  const sides = texts.map(({ unit, text, figures, explanation, status }, i) => {
    const width = widths[i]!;
    const other = texts[1 - i]!.figures;
    const head = [
      fitLine(
        [
          { text: unit, bold: true, color: sideColors[i]! },
          { text: `  ${status}`, color: palette.muted },
        ],
        width,
      ),
      ...wrap(`“${text}”`, width).slice(0, 3),
      drawFigures(figures, i === 1 ? other : null, width),
      rule(coloring === 'z' ? 'tokens by z' : 'tokens by log-probability', width),
    ];
    if (!explanation) return fitBlock(head, width, rows);
    const tokens = tokenLines(explanation, {
      coloring,
      selected: null,
      columns: width,
      limit: Math.max(2, Math.floor(rows * 0.4)),
    });
    const evidence = drawEvidence(
      explanation,
      explanation.peak.position,
      width,
      rows - head.length - tokens.length,
    );
    return fitBlock([...head, ...tokens, ...evidence], width, rows);
  });
  return beside(sides);
}
