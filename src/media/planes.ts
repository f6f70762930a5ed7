/** @file A picture of any number of planes as one that can be seen: colours as they are, other planes as grey pictures. */
import type { InputKind } from '../vision/names.js';
import { type Picture, plainPicture } from '../vision/picture.js';
import { colourPlanes, usualInput } from '../vision/planes.js';

/** Pixels between planes. */
const GAP = 2;

/**
 * The planes of a picture beside each other, in order, three that are colours as one; a picture of 1 plane or of 3 colours
 * as it is, and of copies of one grey picture the first.
 */
export function visiblePicture(picture: Picture, input: InputKind = usualInput(picture.channels)): Picture {
  const { width, height, channels, data } = picture;
  const colours = colourPlanes(channels, input);
  if (channels === 1 || (channels === 3 && colours === 3)) return picture;
  const shown = input === 'grey' ? 1 : channels;
  const parts = colours / 3 + shown - colours;
  const depth = colours > 0 ? 3 : 1;
  const row = plainPicture(parts * (width + GAP) - GAP, height, depth, 1);
  for (let part = 0; part < parts; part++) {
    const isColour = 3 * part < colours;
    const first = isColour ? 3 * part : colours + part - colours / 3;
    for (let k = 0; k < width * height; k++) {
      const at = Math.floor(k / width) * row.width + part * (width + GAP) + (k % width);
      for (let c = 0; c < depth; c++) {
        row.data[at * depth + c] = data[k * channels + first + (isColour ? c : 0)]!;
      }
    }
  }
  return row;
}
