/** @file The keys of a place, and what the signs on the screen mean. */
import { textWidth } from '../../core/text-width.js';
import { divergingColor, inkOn, palette, sequentialColor } from '../../media/color.js';
import { type Line, plain } from '../../media/styled.js';
import { keysOf, type PlaceKind } from '../keys.js';
import { fitBlock, rule } from './layout.js';

export function drawHelp(place: PlaceKind, columns: number, rows: number): Line[] {
  const keys = keysOf(place);
  const width = Math.max(...keys.map(({ keys }) => textWidth(keys)));
  const lines = keys.map(
    ({ keys, does }): Line => [
      { text: keys.padStart(width + keys.length - textWidth(keys)), color: palette.caution },
      { text: `  ${does}` },
    ],
  );
  const legend: Line[] = [
    [
      { text: 'z    ' },
      ...scale((share) => divergingColor(2 * share - 1)),
      { text: '  far below its mean … far above' },
    ],
    [{ text: 'ln p ' }, ...scale(sequentialColor), { text: '  expected … unexpected' }],
    plain('▲ and underlined: the peak   ·: a blank   ⏎: a line break'),
  ];
  return fitBlock([rule('keys', columns), ...lines, rule('signs', columns), ...legend], columns, rows);
}

function scale(color: (share: number) => readonly [number, number, number]): Line {
  return Array.from({ length: 12 }, (_, i) => {
    const background = color(i / 11);
    return { text: ' ', background, color: inkOn(background) };
  });
}
