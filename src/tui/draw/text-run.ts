/** @file The screen of a search for text: frontier, candidates, progress. */

import { palette } from '../../media/color.js';
import type { Line } from '../../media/styled.js';
import type { ListedTexts } from '../listed-texts.js';
import type { RunPlace } from '../places.js';
import type { RunSnapshot } from '../run-source.js';
import { drawCandidates } from './candidate-list.js';
import { drawFrontier, frontierLegend } from './frontier-plot.js';
import { beside, fitBlock, rule } from './layout.js';
import { drawFrame, drawProgress, drawPublished, drawTitle, drawTroubles } from './run-header.js';

export interface TextRunScene {
  readonly snapshot: RunSnapshot;
  readonly place: RunPlace;
  readonly listed: ListedTexts;
  readonly columns: number;
  readonly rows: number;
}

/** Columns from which plot and list stand side by side. */
const WIDE = 130;

export function drawTextRun({ snapshot, place, listed, columns, rows }: TextRunScene): Line[] {
  const { view } = snapshot;
  const { entries } = listed;
  const head = [
    drawTitle(snapshot, columns),
    drawProgress(snapshot, columns),
    ...drawFrame(snapshot, columns),
    ...drawPublished(snapshot, columns),
    ...drawTroubles(snapshot, columns, 2),
  ];
  const selected = Math.min(place.selected, entries.length - 1);
  const body = rows - head.length;
  const wide = columns >= WIDE;
  const plotColumns = wide ? Math.floor((columns - 2) * 0.48) : columns;
  const plotRows = wide ? body : Math.max(8, Math.floor(body * 0.48));
  const listColumns = wide ? columns - 2 - plotColumns : columns;
  const listRows = wide ? body : body - plotRows;
  const plot = [
    rule('frontier: z against nats a token', plotColumns),
    ...drawFrontier([{ view, color: palette.accent }], entries[selected] ?? null, plotColumns, plotRows - 2),
    frontierLegend(view),
  ];
  const list = [
    rule(`${entries.length} ${listed.name}, by ${listed.order}`, listColumns),
    ...(entries.length > 0
      ? drawCandidates(entries, {
          selected,
          columns: listColumns,
          rows: listRows - 1,
          marked: place.marked,
        })
      : [[{ text: snapshot.growing ? 'nothing yet' : 'no candidates', color: palette.muted }]]),
  ];
  const blocks = [fitBlock(plot, plotColumns, plotRows), fitBlock(list, listColumns, listRows)];
  return fitBlock([...head, ...(wide ? beside(blocks) : blocks.flat())], columns, rows);
}
