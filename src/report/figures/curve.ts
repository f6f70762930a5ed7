/** @file A figure over the steps of a run: an activation, a reward, a divergence. */
import { line } from 'd3-shape';
import { curveIndices, extent } from '../../core/evenly.js';
import { type Html, html, trusted } from '../html.js';
import { shortNumber } from '../visible-text.js';
import { legend, plotArea, roundPixel } from './axes.js';

export interface CurveSeries {
  readonly name: string;
  readonly steps: readonly number[];
  readonly values: readonly number[];
}

/** Points of a curve that a figure of a few hundred pixels can show. */
const MOST_POINTS = 400;

/**
 * Curves that share a vertical axis, at most four; null when no value is finite.
 *
 * @param title - of the vertical axis, with its unit
 */
export function curveFigure(
  series: readonly CurveSeries[],
  title: string,
  { width, height }: { readonly width: number; readonly height: number },
): Html | null {
  const curves = series
    .map(({ name, steps, values }) => ({ name, points: finitePoints(steps, values) }))
    .filter(({ points }) => points.length > 0);
  if (curves.length === 0) return null;
  const all = curves.flatMap(({ points }) => points);
  const [first, last] = extent(all.map(([step]) => step));
  const [low, high] = extent(all.map(([, value]) => value));
  const { x, y, axes } = plotArea(
    width,
    height,
    { title: 'step', from: first, to: Math.max(last, first + 1) },
    { title, from: low, to: high > low ? high : low + 1 },
  );
  const path = line<readonly [number, number]>(
    ([step]) => roundPixel(x(step)),
    ([, value]) => roundPixel(y(value)),
  );
  const ends = curves.map(
    ({ name, points }) => `${name} from ${shortNumber(points[0]![1])} to ${shortNumber(points.at(-1)![1])}`,
  );
  return html`<svg class="figure" viewBox="0 0 ${width} ${height}" role="img" aria-label="Curve over ${all.length} points: ${ends.join('; ')}" xmlns="http://www.w3.org/2000/svg">
${axes}
${curves.map(({ points }, i) => html`<path class="curve c${i}" d="${trusted(path(points) ?? '')}"/>`)}
${legend(
  curves.map(({ name }, i) => ({
    label: name,
    mark: (cx, cy) => html`<path class="curve c${i}" d="M${cx - 6} ${cy}H${cx + 6}"/>`,
  })),
)}
</svg>`;
}

/** The points that are numbers; of very many the lowest and highest of each stretch. */
function finitePoints(steps: readonly number[], values: readonly number[]): [number, number][] {
  const points = values.flatMap((value, i): [number, number][] =>
    Number.isFinite(value) && Number.isFinite(steps[i]) ? [[steps[i]!, value]] : [],
  );
  return curveIndices(
    points.map(([, value]) => value),
    MOST_POINTS,
  ).map((i) => points[i]!);
}
