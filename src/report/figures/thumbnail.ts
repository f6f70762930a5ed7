/** @file A frontier as small as a word, without axes: for tables of runs, all drawn to one scale. */
import { scaleLinear } from 'd3-scale';
import { curveStepAfter, line } from 'd3-shape';
import { fluencyFront, HYPERVOLUME_CORNER } from '../../core/frontier.js';
import type { ScoredText } from '../../core/scored-text.js';
import { type Html, html, trusted } from '../html.js';
import { decimal } from '../visible-text.js';
import { roundPixel } from './axes.js';

const [WIDTH, HEIGHT] = [144, 48];

/** @param strongest - z at the top edge; the right edge is the corner of the hypervolume */
export function frontierThumbnail(frontier: readonly ScoredText[], strongest: number): Html | null {
  const { crossEntropy } = HYPERVOLUME_CORNER;
  const front = fluencyFront(frontier.filter((text) => text.cross_entropy < crossEntropy && text.z > 0));
  if (front.length === 0) return null;
  const x = scaleLinear([0, crossEntropy], [0, WIDTH]);
  const y = scaleLinear([0, strongest], [HEIGHT - 1, 2]);
  // The last step reaches the edge: that z can be had with any larger cross entropy.
  const steps = [...front, { ...front.at(-1)!, cross_entropy: crossEntropy }];
  const path = line<ScoredText>(
    (text) => roundPixel(x(text.cross_entropy)),
    (text) => roundPixel(y(text.z)),
  ).curve(curveStepAfter)(steps);
  return html`<svg class="figure" viewBox="0 0 ${WIDTH} ${HEIGHT}" role="img" aria-label="Frontier up to ${decimal(front.at(-1)!.z)} sigmas">
<path class="axis" d="M0 0V${HEIGHT}H${WIDTH}"/><path class="front" d="${trusted(path ?? '')}"/></svg>`;
}
