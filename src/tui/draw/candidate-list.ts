/** @file Candidates in a list: figures and text. */
import { palette } from '../../media/color.js';
import type { Line } from '../../media/styled.js';
import type { Entry } from '../../runs/run-view.js';
import { type Column, drawList } from './layout.js';

/** @param marked - the text that is marked to compare with */
export function drawCandidates(
  entries: readonly Entry[],
  options: { selected: number; columns: number; rows: number; marked: string | null },
): Line[] {
  // Where it is narrow the text comes first; where there is room, all there is to say.
  const [narrow, wide] = [options.columns < 60, options.columns >= 100];
  const textColumns = Math.max(8, options.columns - (narrow ? 18 : wide ? 42 : 31));
  const columns: Column<Entry>[] = [
    { title: '', width: 1, text: ({ text }) => (text === options.marked ? '•' : '') },
    { title: 'nats', width: 5, right: true, text: (entry) => entry.cross_entropy.toFixed(2) },
    {
      title: 'z',
      width: 6,
      right: true,
      text: (entry) => entry.z.toFixed(2),
      style: () => ({ color: palette.caution }),
    },
    ...(narrow
      ? []
      : [
          {
            title: 'margin',
            width: 6,
            right: true,
            text: ({ margin }: Entry) => margin?.toFixed(2) ?? '',
          },
          {
            title: 'rank',
            width: 5,
            right: true,
            text: ({ rank }: Entry) => (rank === null ? '' : String(rank)),
          },
        ]),
    ...(wide
      ? [
          {
            title: 'made by',
            width: 10,
            text: ({ operator }: Entry) => operator,
            style: () => ({ color: palette.muted }),
          },
        ]
      : []),
    { title: 'text', width: textColumns, text: ({ text }) => text },
  ];
  return drawList(entries, columns, options);
}
