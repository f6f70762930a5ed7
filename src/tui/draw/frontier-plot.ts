/** @file The frontier as a scatter: how probable against how strong. */

import { fluencyFront } from '../../core/frontier.js';
import { onceEach } from '../../core/once.js';
import type { ScoredText } from '../../core/scored-text.js';
import { palette, type Rgb } from '../../media/color.js';
import type { Line, Span } from '../../media/styled.js';
import { baselineLabel, type RunView } from '../../runs/run-view.js';
import { axisOver, drawPlot, type Mark, type Path } from './plot.js';

/** The baselines on the plot. */
const baselineSigns = new Map([
  ['prior_best', 'P'],
  ['corpus_best', 'C'],
]);

/** What is drawn of a run. */
export interface FrontierLayer {
  readonly view: RunView;
  readonly color: Rgb;
}

/**
 * One run's frontier, or two over each other.
 *
 * @param selected - stands out
 */
export function drawFrontier(
  layers: readonly FrontierLayer[],
  selected: ScoredText | null,
  columns: number,
  rows: number,
): Line[] {
  const baselines = layers.flatMap(({ view }) => [...view.baselines]);
  const present = baselines.flatMap(([, text]) => (text ? [text] : []));
  const shown = [...layers.flatMap(({ view }) => view.frontier), ...present, ...(selected ? [selected] : [])];
  const entered = layers.length > 1 ? [] : layers.flatMap(({ view }) => enteredMarks(view.entries));
  const paths = layers.map(({ view, color }): Path => ({ points: staircase(view.frontier), color }));
  const marks: Mark[] = [
    ...entered,
    ...layers.flatMap(({ view, color }) => view.frontier.map((entry): Mark => ({ ...point(entry), color }))),
    ...baselines.flatMap(([name, text]): Mark[] =>
      text
        ? [{ ...point(text), color: palette.other, glyph: baselineSigns.get(name) ?? 'B', bold: true }]
        : [],
    ),
    ...(selected ? [{ ...point(selected), color: palette.caution, glyph: '◆', bold: true }] : []),
  ];
  return drawPlot(
    {
      x: axisOver(
        'nats',
        shown.map((text) => text.cross_entropy),
        [0, 6],
      ),
      y: axisOver(
        'z',
        shown.map((text) => text.z),
        [0, 5],
      ),
      paths,
      marks,
    },
    columns,
    rows,
  );
}

/** What the signs mean. */
export function frontierLegend({ baselines }: RunView): Line {
  const legend: Span[] = [{ text: '◆ selected', color: palette.caution }];
  for (const [name, sign] of baselineSigns)
    if (baselines.get(name)) legend.push({ text: `  ${sign} ${baselineLabel(name)}`, color: palette.other });
  return legend;
}

function point(text: ScoredText): { x: number; y: number } {
  return { x: text.cross_entropy, y: text.z };
}

/** Everything that ever entered, in the background. Kept, so that moving the selection in a long run costs little. */
const enteredMarks = onceEach(
  (entries: readonly ScoredText[]) =>
    entries.map((entry): Mark => ({ ...point(entry), color: palette.muted })),
  new WeakMap(),
);

/** What is reached at each level of cross entropy: steps up, as the hypervolume counts them. */
const staircase = onceEach(
  (frontier: readonly ScoredText[]) =>
    fluencyFront(frontier).flatMap((text, i, front) => {
      const before = front[i - 1];
      return before ? [{ x: text.cross_entropy, y: before.z }, point(text)] : [point(text)];
    }),
  new WeakMap(),
);
