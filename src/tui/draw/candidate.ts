/** @file The screen of one candidate: its tokens and the evidence beside them; also while its text is edited. */
import type { Explanation } from '../../core/explanation.js';
import type { ScoredText } from '../../core/scored-text.js';
import { visible } from '../../core/visible.js';
import { palette } from '../../media/color.js';
import { fitLine, type Line, lineWidth, plain, type Span } from '../../media/styled.js';
import type { Answer } from '../explain-client.js';
import type { CandidatePlace } from '../places.js';
import { drawSubstitutions, evidenceOf } from './evidence.js';
import { beside, fitBlock, rule, shares, wrap } from './layout.js';
import { type Coloring, tokenLines } from './tokens.js';

/** The figures of a text. */
export type TextFigures = Pick<ScoredText, 'cross_entropy' | 'z' | 'margin' | 'rank' | 'raw'>;

export interface CandidateScene {
  readonly place: CandidatePlace;
  /** The newest explanation there is, of this text or, while it is edited, of the one before. */
  readonly explanation: Explanation | null;
  readonly answer: Answer | null;
  /** The figures before the edit. */
  readonly original: TextFigures | null;
  readonly unit: string;
  readonly coloring: Coloring;
  readonly columns: number;
  readonly rows: number;
}

/** Between two figures. */
const GAP = '   ';

export function figuresOf({ cross_entropy, score, margin, rank, peak }: Explanation): TextFigures {
  return { cross_entropy, z: score, margin, rank, raw: peak.raw };
}

export function drawCandidate(scene: CandidateScene): Line[] {
  const { place, explanation, original, columns, rows, coloring } = scene;
  const now = explanation ? figuresOf(explanation) : original;
  const head: Line[] = [
    fitLine(
      [
        { text: scene.unit, bold: true },
        { text: `  ${statusText(scene)}`, color: palette.muted },
      ],
      columns,
    ),
    drawFigures(now, place.text === place.original ? null : original, columns),
    ...drawText(place, columns),
  ];
  if (!explanation) return head;
  const selected = Math.min(place.token ?? explanation.peak.position, explanation.tokens.length - 1);
  const tokens = [
    rule(coloring === 'z' ? 'tokens by z' : 'tokens by log-probability, nats', columns),
    ...tokenLines(explanation, {
      coloring,
      selected: place.token === null ? null : selected,
      columns,
      limit: Math.max(2, Math.floor(rows * 0.35)),
    }),
  ];
  return [
    ...head,
    ...tokens,
    ...drawEvidence(explanation, selected, columns, rows - head.length - tokens.length),
  ];
}

/** Columns from which all evidence stands side by side, and the rows it then needs. */
const WIDE = 150;
const TALL = 13;

/** The parts of the evidence in two columns, or in as many as there are parts where it is wide. */
export function drawEvidence(
  explanation: Explanation,
  selected: number,
  columns: number,
  rows: number,
): Line[] {
  const parts = evidenceOf(explanation, selected);
  // Where there is room, what replacing each token does goes below everything else.
  if (columns >= WIDE && rows >= TALL + explanation.tokens.length + 1)
    return [
      ...drawEvidence(explanation, selected, columns, TALL),
      rule('z with another token in each place', columns),
      ...drawSubstitutions(explanation, selected, columns),
    ];
  const across = columns >= WIDE && parts.length > 2 ? parts.length : columns >= 60 ? 2 : 1;
  const down = Math.ceil(parts.length / across);
  const widths = shares(columns, across);
  return Array.from({ length: down }, (_, row) => {
    const height = Math.floor(((row + 1) * rows) / down) - Math.floor((row * rows) / down);
    if (height < 2) return [];
    const blocks = parts.slice(row * across, (row + 1) * across).map((part, i) => {
      const width = widths[i]!;
      return fitBlock([rule(part.title, width), ...part.rows(width, height - 1)], width, height);
    });
    return beside(blocks);
  }).flat();
}

function statusText({ answer, place, explanation }: CandidateScene): string {
  const editing = place.cursor !== null ? 'editing' : place.text === place.original ? '' : 'edited';
  if (answer?.state === 'failed') return `${editing}  ${answer.error}`.trim();
  if (answer?.state === 'asked') return `${editing}  ${answer.note}…`.trim();
  const time =
    answer?.state === 'explained' && editing ? `  scored in ${Math.round(answer.milliseconds)} ms` : '';
  const peak = explanation ? `peak at token ${explanation.peak.position}` : '';
  return `${editing}${editing ? '  ' : ''}${peak}${time}`;
}

/** z, nats, margin, rank, raw, as many as there is room for; with what each was before. */
export function drawFigures(now: TextFigures | null, before: TextFigures | null, columns: number): Line {
  if (!now) return plain('');
  const figure = (name: string, value: number | null, old: number | null | undefined, digits = 2): Span[] => {
    if (value === null) return [];
    const change = old === null || old === undefined ? 0 : value - old;
    const moved = before !== null && Math.abs(change) >= 0.5 * 10 ** -digits;
    return [
      { text: `${name} `, color: palette.muted },
      { text: value.toFixed(digits), bold: true },
      { text: moved ? ` (${change > 0 ? '+' : ''}${change.toFixed(digits)})` : '', color: palette.caution },
      { text: GAP },
    ];
  };
  const figures = [
    figure('z', now.z, before?.z),
    figure('nats', now.cross_entropy, before?.cross_entropy),
    figure('margin', now.margin, before?.margin),
    figure('rank', now.rank, before?.rank, 0),
    figure('raw', now.raw, before?.raw),
  ];
  let line: Line = [];
  for (const spans of figures)
    if (lineWidth([...line, ...spans]) <= columns + GAP.length) line = [...line, ...spans];
  return fitLine(line, columns);
}

/** The text itself, with the cursor in it while it is edited. */
function drawText({ text, cursor }: CandidatePlace, columns: number): Line[] {
  if (cursor === null) return wrap(`“${text}”`, columns).slice(0, 3);
  const at = [...text.slice(cursor)][0] ?? ' ';
  const before = visible(text.slice(0, cursor));
  // The line scrolls so that the cursor is seen.
  const start = Math.max(0, before.length - Math.floor(columns * 0.7));
  return [
    fitLine(
      [
        { text: '▏', color: palette.caution },
        { text: before.slice(start) },
        { text: visible(at), inverse: true },
        { text: visible(text.slice(cursor + at.length)) },
      ],
      columns,
    ),
  ];
}
