/** @file The screen of a training run: every figure as a curve, and the texts it samples. */

import { palette, type Rgb } from '../../media/color.js';
import type { Line } from '../../media/styled.js';
import type { ListedTexts } from '../listed-texts.js';
import type { RunPlace } from '../places.js';
import type { RunSnapshot } from '../run-source.js';
import { drawCandidates } from './candidate-list.js';
import { drawCurve } from './curve.js';
import { beside, fitBlock, rule, shares } from './layout.js';
import { drawFrame, drawProgress, drawTitle, drawTroubles } from './run-header.js';

export interface TuneScene {
  readonly snapshot: RunSnapshot;
  readonly place: RunPlace;
  readonly listed: ListedTexts;
  readonly columns: number;
  readonly rows: number;
}

/** What one looks at first: reward and distance from the reference model. */
const FIRST = ['reward', 'kl', 'cross_entropy', 'loss', 'z', 'reward_max'];
const colors: readonly Rgb[] = [palette.accent, palette.caution, palette.good, palette.other];

export function drawTuneRun({ snapshot, place, listed, columns, rows }: TuneScene): Line[] {
  const { entries } = listed;
  const head = [
    drawTitle(snapshot, columns),
    drawProgress(snapshot, columns),
    ...drawFrame(snapshot, columns),
    ...drawTroubles(snapshot, columns, 2),
  ];
  const body = rows - head.length;
  const listRows = entries.length > 0 ? Math.min(entries.length + 2, Math.floor(body * 0.45)) : 0;
  const names = [...snapshot.view.series.keys()].sort((a, b) => importance(a) - importance(b));
  const across = columns >= 150 ? 3 : 2;
  const down = body - listRows >= 24 ? 2 : 1;
  const widths = shares(columns, across);
  const curves = Array.from({ length: down }, (_, row) => {
    const height =
      Math.floor(((row + 1) * (body - listRows)) / down) - Math.floor((row * (body - listRows)) / down);
    const blocks = widths.map((width, i) => {
      const name = names[row * across + i];
      const series = name === undefined ? undefined : snapshot.view.series.get(name);
      if (!series) return fitBlock([], width, height);
      const title = name!.replaceAll('_', ' ');
      const color = colors[(row * across + i) % colors.length]!;
      return fitBlock(
        [rule(title, width), ...drawCurve('', series, color, width, height - 1)],
        width,
        height,
      );
    });
    return beside(blocks);
  }).flat();
  const list =
    listRows === 0
      ? []
      : [
          rule(`${entries.length} ${listed.name}, by ${listed.order}`, columns),
          ...drawCandidates(entries, {
            selected: Math.min(place.selected, entries.length - 1),
            columns,
            rows: listRows - 1,
            marked: place.marked,
          }),
        ];
  return fitBlock([...head, ...curves, ...list], columns, rows);
}

function importance(name: string): number {
  const index = FIRST.indexOf(name);
  return index < 0 ? FIRST.length : index;
}
