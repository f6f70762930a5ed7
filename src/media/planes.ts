/** @file A picture of any number of planes as one that can be seen: colours as they are, else one grey picture a plane. */
import { type Picture, plainPicture } from '../vision/picture.js';

/** Pixels between planes. */
const GAP = 2;

/** The planes of a picture beside each other, in order; a picture of 1 or 3 planes as it is. */
export function visiblePicture(picture: Picture): Picture {
  const { width, height, channels, data } = picture;
  if (channels === 1 || channels === 3) return picture;
  const row = plainPicture(channels * (width + GAP) - GAP, height, 1, 1);
  for (let plane = 0; plane < channels; plane++) {
    for (let k = 0; k < width * height; k++) {
      const at = Math.floor(k / width) * row.width + plane * (width + GAP) + (k % width);
      row.data[at] = data[k * channels + plane]!;
    }
  }
  return row;
}
