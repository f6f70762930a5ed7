/**
 * @file How strong each frequency is in photographs, in decorrelated colours: what a picture must keep to look natural
 * (Fel et al., "MACO", arXiv 2306.06805).
 *
 * A formula instead of a table, so that pictures of any size can be made: the logarithm of the magnitude is a polynomial
 * in that of the frequency, with terms for how the axes differ from the diagonals and from each other. Fitted by
 * `tools/natural-spectrum.ts` to 8,192 pictures of 64 pixels.
 */

import type { InputKind } from './names.js';
import { colourPlanes } from './planes.js';

/** Weights of `spectrumTerms` for the three axes of decorrelated colour. */
const weights: readonly (readonly number[])[] = [
  [2.626, -1.1976, -0.1124, 0.0606, -0.0733, 0.0176, 0.0069, -0.0023, 0.0931, 0.0954, -0.0326, 0],
  [2.575, -1.0761, -0.509, 0.1675, -0.0901, 0.0662, -0.0308, 0.0062, 0.0914, 0.107, -0.0553, 0.0059],
  [2.4531, -0.8078, -0.4686, 0.1374, -0.0709, 0.0417, -0.0259, 0.0073, 0.129, -0.1129, 0.1181, -0.0319],
];

/** Cycles a pixel. The curve continues below as a straight line. */
export const LOWEST_MEASURED = 2 / 64;

/**
 * What the logarithm of a magnitude is a weighted sum of.
 *
 * @param fy - cycles a pixel along the height, not both 0
 * @param fx - cycles a pixel along the width
 */
export function spectrumTerms(fy: number, fx: number): number[] {
  const u = Math.log(Math.hypot(fy, fx) / LOWEST_MEASURED);
  const angle = Math.atan2(fy, fx);
  const bend = u > 0 ? [u ** 2, u ** 3] : [0, 0];
  const radial = [1, u, ...bend];
  return [
    ...radial,
    ...radial.map((r) => r * Math.cos(2 * angle)),
    ...radial.map((r) => r * Math.cos(4 * angle)),
  ];
}

/**
 * Mean magnitudes of photographs' spectra, `[channel, height, floor(width / 2) + 1]`, scaled like NumPy's `rfft2`, 0
 * for the mean colour. Of the values of which `toColours` makes a picture.
 *
 * @param input - what the planes are; those that are no colours have the first axis, light
 */
export function naturalMagnitudes(
  height: number,
  width: number,
  channels: number,
  input?: InputKind,
): Float32Array {
  const colours = colourPlanes(channels, input);
  const columns = Math.floor(width / 2) + 1;
  const scale = Math.sqrt(height * width);
  const magnitudes = new Float32Array(channels * height * columns);
  for (let row = 0; row < height; row++) {
    for (let column = 0; column < columns; column++) {
      if (row === 0 && column === 0) continue;
      const terms = spectrumTerms((row <= (height - 1) / 2 ? row : row - height) / height, column / width);
      for (let channel = 0; channel < channels; channel++) {
        const logarithm = terms.reduce(
          (sum, term, i) => sum + term * weights[channel < colours ? channel % 3 : 0]![i]!,
          0,
        );
        magnitudes[(channel * height + row) * columns + column] = scale * Math.exp(logarithm);
      }
    }
  }
  return magnitudes;
}
