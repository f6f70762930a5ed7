/** @file Two runs, or two texts, side by side. */
import { useMemo } from 'react';
import { figuresOf } from '../draw/candidate.js';
import { type ComparedText, drawRunComparison, drawTextComparison } from '../draw/compare.js';
import { useExplanation, useKeys, useRun } from '../hooks.js';
import type { ComparePlace, Side } from '../places.js';
import { describeProgress, describeState } from '../plain-text.js';
import type { RunSnapshot } from '../run-source.js';
import type { ViewerState } from '../viewer-state.js';
import type { PlaceProps } from './props.js';
import { FOOTER_ROWS, Screen } from './Screen.js';

export function CompareScreen({ viewer, ui, setUi, place, columns, rows }: PlaceProps<ComparePlace>) {
  const [left, right] = place.sides;
  const leftRun = useRun(viewer.open(left.path));
  const rightRun = useRun(viewer.open(right.path));
  const leftText = useText(viewer, leftRun, left);
  const rightText = useText(viewer, rightRun, right);
  const bodyRows = rows - FOOTER_ROWS;
  const { coloring } = ui;
  useKeys({
    viewer,
    ui,
    setUi,
    place: 'compare',
    facts: { count: 0, page: 1, chosen: null, at: 0, neighbours: [null, null] },
    status: () => `${describeState(leftRun)}; ${describeState(rightRun)}`,
  });
  const lines = useMemo(
    () =>
      leftText && rightText
        ? drawTextComparison([leftText, rightText], coloring, columns, bodyRows)
        : drawRunComparison([leftRun, rightRun], columns, bodyRows),
    [leftText, rightText, leftRun, rightRun, coloring, columns, bodyRows],
  );
  return (
    <Screen
      {...{ viewer, ui, place: 'compare', columns, rows, lines }}
      sentences={() =>
        leftText && rightText
          ? [leftText, rightText].map(
              ({ text, figures }) =>
                `“${text}”: z ${figures?.z.toFixed(2) ?? '?'}, ${figures?.cross_entropy.toFixed(2) ?? '?'} nats`,
            )
          : [leftRun, rightRun].map((run) => `${describeState(run)}. ${describeProgress(run)}`)
      }
    />
  );
}

/** A text with its figures and its explanation as they come; null for a side that is a whole run. */
function useText(viewer: ViewerState, run: RunSnapshot, { text }: Side): ComparedText | null {
  const answer = useExplanation(viewer, run, text);
  return useMemo(() => {
    if (text === null) return null;
    const explanation = answer?.state === 'explained' ? answer.explanation : null;
    const entry = run.view.entries.find((entry) => entry.text === text) ?? null;
    return {
      unit: run.view.unit ?? '',
      text,
      explanation,
      figures: explanation ? figuresOf(explanation) : entry,
      status: answer?.state === 'failed' ? answer.error : answer?.state === 'asked' ? `${answer.note}…` : '',
    };
  }, [text, run.view, answer]);
}
