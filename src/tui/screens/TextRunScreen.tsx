/** @file A search for text, or a training run with its samples: drawings over a list of texts. */
import { useMemo } from 'react';
import { drawTextRun } from '../draw/text-run.js';
import { drawTuneRun } from '../draw/tune-run.js';
import { useClock, useKeys } from '../hooks.js';
import { listedTexts } from '../listed-texts.js';
import type { RunPlace } from '../places.js';
import { describeCandidate, describeProgress, describeState } from '../plain-text.js';
import type { RunProps } from './props.js';
import { FOOTER_ROWS, Screen } from './Screen.js';

export function TextRunScreen(props: RunProps<RunPlace>) {
  const { viewer, ui, setUi, place, source, snapshot, columns, rows } = props;
  const { view } = snapshot;
  const isTraining = view.task === 'tune';
  const { all, order } = place;
  const listed = useMemo(() => listedTexts(view, { all, order }), [view, all, order]);
  const { entries } = listed;
  const selected = Math.min(place.selected, entries.length - 1);
  const chosen = entries[selected];
  const bodyRows = rows - FOOTER_ROWS;
  const keyPlace = isTraining ? 'tune' : 'text';
  useKeys({
    viewer,
    ui,
    setUi,
    source,
    place: keyPlace,
    facts: {
      count: entries.length,
      page: Math.max(1, Math.floor(bodyRows / 2) - 2),
      chosen: chosen ? { path: place.path, text: chosen.text } : null,
      at: selected,
      neighbours: [null, null],
    },
    status: () => `${describeState(snapshot)}. ${describeProgress(snapshot)}`,
  });
  const drawing = useMemo(() => {
    const scene = { snapshot, place, listed, columns, rows: bodyRows };
    return isTraining ? drawTuneRun(scene) : drawTextRun(scene);
  }, [isTraining, snapshot, place, listed, columns, bodyRows]);
  const lines = useClock(drawing, source, snapshot, columns);
  return (
    <Screen
      {...{ viewer, ui, place: keyPlace, columns, rows, lines, live: source.stop !== null }}
      sentences={() => [
        describeState(snapshot),
        ...snapshot.missing.map(({ sentence }) => sentence),
        ...(snapshot.growing ? [] : [describeProgress(snapshot)]),
        chosen ? `text ${selected + 1} of ${entries.length}: ${describeCandidate(chosen)}` : 'no texts yet',
      ]}
    />
  );
}
