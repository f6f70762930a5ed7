/** @file Candidates in a list: figures and text. */
import { oneLine } from '../../format.js';
import type { Entry } from '../../runs/run-view.js';
import { palette } from '../color.js';
import type { Line } from '../styled.js';
import { type Column, drawList } from './layout.js';

/** @param marked - the text that is marked to compare with */
export function drawCandidates(
  entries: readonly Entry[],
  options: { selected: number; columns: number; rows: number; marked: string | null },
): Line[] {
  const textColumns = Math.max(8, options.columns - 31 - (options.columns >= 100 ? 11 : 0));
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
    { title: 'margin', width: 6, right: true, text: ({ margin }) => margin?.toFixed(2) ?? '' },
    { title: 'rank', width: 5, right: true, text: ({ rank }) => (rank === null ? '' : String(rank)) },
    ...(options.columns >= 100
      ? [
          {
            title: 'made by',
            width: 10,
            text: ({ operator }: Entry) => operator,
            style: () => ({ color: palette.muted }),
          },
        ]
      : []),
    { title: 'text', width: textColumns, text: ({ text }) => oneLine(text) },
  ];
  return drawList(entries, columns, options);
}
