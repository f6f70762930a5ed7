/** @file Synthetic pictures beside the dataset examples of their units. */
import type { UnitExamples } from '../vision/dataset-examples.js';
import type { InputKind } from '../vision/names.js';
import { type Picture, plainPicture } from '../vision/picture.js';
import type { PictureSize } from '../vision/picture-size.js';
import { resized } from '../vision/render/octaves.js';
import type { UnitResult } from '../vision/render/render-options.js';
import { contactSheet, PAPER, paste, type Tile } from './contact-sheet.js';
import { visiblePicture } from './planes.js';

/**
 * Two rows a unit: its synthetic picture and the photographs that excite it most, as the network saw them, with the
 * mean activation below; and under each photograph the crop that its strongest position depends on.
 *
 * @param examples - of the same units in the same order, at least one example each
 * @param input - what the planes are; default: `usualInput`
 */
export async function exampleSheet(
  units: readonly UnitResult[],
  examples: readonly UnitExamples[],
  input?: InputKind,
): Promise<Picture> {
  const tile = visiblePicture(units[0]!.picture, input);
  const columns = 1 + Math.max(...examples.map((found) => found.examples.length));
  const tiles: Tile[] = [];
  for (const [i, { unit, picture: drawn, dead, activation }] of units.entries()) {
    const found = examples[i]!.examples;
    const picture = visiblePicture(drawn, input);
    const fitted = (other: Picture) => inBox(visiblePicture(other, input), tile);
    const pictures = await Promise.all(found.map((example) => fitted(example.picture)));
    const crops = await Promise.all(found.map(({ crop }) => fitted(crop)));
    const label = ({ mean }: { mean: number }) => Number(mean.toPrecision(3)).toString();
    const blank = { label: '', picture: blankLike(picture) };
    const row = [
      { label: unit, picture, dead },
      ...pictures.map((picture, k) => ({ label: label(found[k]!), picture })),
    ];
    const below = [
      { label: dead ? '' : label({ mean: activation.final }), picture: blank.picture },
      ...crops.map((picture) => ({ label: 'crop', picture })),
    ];
    const filling = Array<Tile>(columns - row.length).fill(blank);
    tiles.push(...row, ...filling, ...below, ...filling);
  }
  return contactSheet(tiles, columns);
}

/** A picture as large as fits into a box, on paper. */
async function inBox(picture: Picture, { width, height }: PictureSize): Promise<Picture> {
  const scale = Math.min(width / picture.width, height / picture.height);
  const pixels = (length: number): number => Math.max(1, Math.round(length * scale));
  const size = { width: pixels(picture.width), height: pixels(picture.height) };
  const data = await resized(picture.data, { batch: 1, ...picture }, size);
  const box = plainPicture(width, height, picture.channels, PAPER);
  const margin = (room: number, length: number): number => Math.floor((room - length) / 2);
  paste(box, { ...picture, ...size, data }, margin(height, size.height), margin(width, size.width));
  return box;
}

const blankLike = ({ width, height, channels }: Picture): Picture =>
  plainPicture(width, height, channels, PAPER);
