/** @file The list of runs to start from. */

import { relative } from 'node:path';
import { useEffect, useMemo, useState } from 'react';
import { counted } from '../../core/format.js';
import { drawRuns } from '../draw/runs.js';
import { useKeys } from '../hooks.js';
import type { RunsPlace } from '../places.js';
import { describeSummary } from '../plain-text.js';
import { listRuns, type RunSummary, selectRuns } from '../run-list.js';
import type { PlaceProps } from './props.js';
import { FOOTER_ROWS, Screen } from './Screen.js';

/** Milliseconds between two looks at the folder. */
const LOOK_EVERY = 2000;

export function RunsScreen({ viewer, ui, setUi, place, columns, rows }: PlaceProps<RunsPlace>) {
  const { folder } = viewer.host;
  const [all, setAll] = useState<readonly RunSummary[]>(() => listRuns(folder));
  useEffect(() => {
    const timer = setInterval(() => {
      const now = listRuns(folder);
      setAll((before) => (JSON.stringify(before) === JSON.stringify(now) ? before : now));
    }, LOOK_EVERY);
    return () => clearInterval(timer);
  }, [folder]);
  const runs = useMemo(() => selectRuns(all, place.filter, place.order), [all, place.filter, place.order]);
  const selected = Math.min(place.selected, runs.length - 1);
  const chosen = runs[selected];
  const bodyRows = rows - FOOTER_ROWS;
  const sentence = chosen
    ? `run ${selected + 1} of ${runs.length}: ${describeSummary(chosen)}`
    : `no runs in ${folder}`;
  const keyPlace = place.cursor === null ? 'runs' : 'filter';
  useKeys({
    viewer,
    ui,
    setUi,
    place: keyPlace,
    facts: {
      count: runs.length,
      page: bodyRows - 3,
      chosen: chosen ? { path: chosen.path, text: null } : null,
      at: selected,
      neighbours: [null, null],
    },
    status: () => sentence,
  });
  const lines = useMemo(
    () =>
      drawRuns({
        folder: relative('', folder) || '.',
        place,
        runs,
        total: all.length,
        columns,
        rows: bodyRows,
      }),
    [folder, place, runs, all.length, columns, bodyRows],
  );
  const filter = place.filter === '' ? '' : `, with ${place.filter}`;
  return (
    <Screen
      {...{ viewer, ui, place: keyPlace, columns, rows, lines }}
      sentences={() => [`${counted(runs.length, 'run')} in ${folder}${filter}, by ${place.order}`, sentence]}
    />
  );
}
