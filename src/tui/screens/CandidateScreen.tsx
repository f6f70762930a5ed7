/** @file One candidate and the evidence beside it; its text can be edited in place. */
import { useMemo, useRef } from 'react';
import type { Explanation } from '../../core/explanation.js';
import { visible } from '../../core/visible.js';
import { unitOf } from '../../runs/description.js';
import { drawCandidate } from '../draw/candidate.js';
import { useExplanation, useKeys } from '../hooks.js';
import { listedTexts } from '../listed-texts.js';
import type { CandidatePlace, RunPlace } from '../places.js';
import { describeCandidate, describeProgress, describeToken } from '../plain-text.js';
import type { RunProps } from './props.js';
import { FOOTER_ROWS, Screen } from './Screen.js';

export function CandidateScreen(props: RunProps<CandidatePlace>) {
  const { viewer, ui, setUi, place, source, snapshot, columns, rows } = props;
  const { view } = snapshot;
  const answer = useExplanation(viewer, snapshot, place.text);
  // While a new text is scored the figures of the last one stay.
  const last = useRef<Explanation | null>(null);
  const [lastText, isEdited] = [last.current?.text, place.text !== place.original || place.cursor !== null];
  if (answer?.state === 'explained') last.current = answer.explanation;
  else if (lastText !== place.text && !isEdited) last.current = null;
  const explanation = last.current;

  const list = ui.places.findLast((one): one is RunPlace => one.kind === 'run');
  const [all, order] = [list?.all ?? false, list?.order ?? 'nats'];
  const { entries } = useMemo(() => listedTexts(view, { all, order }), [view, all, order]);
  const index = entries.findIndex(({ text }) => text === place.original);
  const original = entries[index] ?? view.entries.find(({ text }) => text === place.original) ?? null;
  const neighbour = (step: number) => (index < 0 ? null : (entries[index + step]?.text ?? null));
  const selected = Math.min(
    place.token ?? explanation?.peak.position ?? 0,
    (explanation?.tokens.length ?? 1) - 1,
  );
  const keyPlace = place.cursor === null ? 'candidate' : 'edit';
  const unit = view.unit ?? (snapshot.description && unitOf(snapshot.description)) ?? '';
  useKeys({
    viewer,
    ui,
    setUi,
    source,
    place: keyPlace,
    facts: {
      count: explanation?.tokens.length ?? 1,
      page: 1,
      chosen: { path: place.path, text: place.text },
      at: selected,
      neighbours: [neighbour(-1), neighbour(1)],
    },
    status: () => describeProgress(snapshot),
  });
  const bodyRows = rows - FOOTER_ROWS;
  const { coloring } = ui;
  const lines = useMemo(
    () => drawCandidate({ place, explanation, answer, original, unit, coloring, columns, rows: bodyRows }),
    [place, explanation, answer, original, unit, coloring, columns, bodyRows],
  );
  return (
    <Screen
      {...{ viewer, ui, place: keyPlace, columns, rows, lines, live: source.stop !== null }}
      sentences={() => [
        ...(original && place.text === place.original
          ? [`candidate ${index + 1} of ${entries.length}, ${describeCandidate(original)}`]
          : [`edited text: “${visible(place.text)}”`]),
        ...(answer?.state === 'failed' ? [answer.error] : []),
        ...(answer?.state === 'explained'
          ? [
              `z ${answer.explanation.score.toFixed(2)}, ${answer.explanation.cross_entropy.toFixed(2)} nats a token`,
              `rivals: ${answer.explanation.rivals.map(({ unit, z }) => `${unit} ${z.toFixed(2)}`).join(', ') || 'none'}`,
              ...describeToken(answer.explanation, selected),
            ]
          : []),
      ]}
    />
  );
}
