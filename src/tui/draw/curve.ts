/** @file A figure over the steps of a run. */

import { curveIndices } from '../../core/evenly.js';
import type { Rgb } from '../../media/color.js';
import type { Line } from '../../media/styled.js';
import { axisOver, drawPlot, type Mark } from './plot.js';

/** Values over steps. */
export interface Curve {
  readonly steps: readonly number[];
  readonly values: readonly number[];
}

/**
 * @param at - a step to point at
 */
export function drawCurve(
  name: string,
  { steps, values }: Curve,
  color: Rgb,
  columns: number,
  rows: number,
  at: number | null = null,
): Line[] {
  const points = curveIndices(values, 4 * Math.max(1, columns)).map((i) => ({ x: steps[i]!, y: values[i]! }));
  const index = at === null ? -1 : steps.indexOf(at);
  const mark: Mark[] =
    index >= 0 ? [{ x: at!, y: values[index]!, color: [230, 159, 0], glyph: '◆', bold: true }] : [];
  return drawPlot(
    {
      x: axisOver('step', [steps[0] ?? 0, steps.at(-1) ?? 1], [0, 1]),
      y: axisOver(name, values, [0, 1]),
      paths: [{ points, color }],
      marks: mark,
    },
    columns,
    rows,
  );
}
