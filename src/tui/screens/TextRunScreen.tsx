/** @file A search for text, or a training run with its samples: drawings over a list of texts. */
import { useMemo } from 'react';
import { sortCandidates } from '../../runs/run-view.js';
import { drawTextRun } from '../draw/text-run.js';
import { drawTuneRun } from '../draw/tune-run.js';
import { useKeys } from '../hooks.js';
import type { RunPlace } from '../navigation.js';
import { describeCandidate, describeProgress, describeState } from '../plain-text.js';
import type { RunProps } from './App.js';
import { FOOTER_ROWS, Screen } from './Screen.js';

export function TextRunScreen(props: RunProps<RunPlace>) {
  const { session, ui, setUi, place, source, snapshot, columns, rows } = props;
  const { view } = snapshot;
  const isTraining = view.task === 'tune';
  const shown = place.all || isTraining ? view.entries : view.frontier;
  // Samples of a training run are looked at from the newest, texts of a search from the most probable.
  const order = isTraining && place.order === 'nats' ? 'newest' : place.order;
  const entries = useMemo(() => sortCandidates(shown, order), [shown, order]);
  const selected = Math.min(place.selected, entries.length - 1);
  const chosen = entries[selected];
  const bodyRows = rows - FOOTER_ROWS;
  const keyPlace = isTraining ? 'tune' : 'text';
  useKeys({
    session,
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
  const lines = useMemo(() => {
    const scene = { snapshot, place: { ...place, order }, entries, columns, rows: bodyRows };
    return isTraining ? drawTuneRun(scene) : drawTextRun(scene);
  }, [isTraining, snapshot, place, order, entries, columns, bodyRows]);
  return (
    <Screen
      {...{ session, ui, place: keyPlace, columns, rows, lines, live: source.stop !== null }}
      sentences={() => [
        describeState(snapshot),
        ...snapshot.missing,
        ...(snapshot.growing ? [] : [describeProgress(snapshot)]),
        chosen ? `text ${selected + 1} of ${entries.length}: ${describeCandidate(chosen)}` : 'no texts yet',
      ]}
    />
  );
}
