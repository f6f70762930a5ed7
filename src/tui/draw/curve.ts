/** @file A figure over the steps of a run. */

import type { Rgb } from '../../media/color.js';
import type { Line } from '../../media/styled.js';
import type { Series } from '../../runs/run-view.js';
import { axisOver, drawPlot, type Mark } from './plot.js';

/**
 * @param at - a step to point at
 */
export function drawCurve(
  name: string,
  { steps, values }: Series,
  color: Rgb,
  columns: number,
  rows: number,
  at: number | null = null,
): Line[] {
  const points = thin(
    steps.map((x, i) => ({ x, y: values[i]! })),
    4 * Math.max(1, columns),
  );
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

/** At most about `count` points: of each stretch its lowest and its highest. */
function thin<P extends { readonly y: number }>(points: readonly P[], count: number): P[] {
  if (points.length <= count) return [...points];
  const stretch = Math.ceil((2 * points.length) / count);
  const kept: P[] = [];
  for (let start = 0; start < points.length; start += stretch) {
    const part = points.slice(start, start + stretch);
    const low = part.reduce((a, b) => (b.y < a.y ? b : a));
    const high = part.reduce((a, b) => (b.y > a.y ? b : a));
    kept.push(...(part.indexOf(low) <= part.indexOf(high) ? [low, high] : [high, low]));
  }
  return kept;
}
