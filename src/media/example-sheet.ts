/** @file Synthetic pictures beside the dataset examples of their units. */
import type { UnitExamples } from '../vision/dataset-examples.js';
import type { Picture } from '../vision/picture.js';
import { resized } from '../vision/render/octaves.js';
import type { UnitResult } from '../vision/render/render-options.js';
import { contactSheet, type Tile } from './contact-sheet.js';

/**
 * Two rows a unit: its synthetic picture and the photographs that excite it most, as the network saw them, with the
 * mean activation below; and under each photograph the crop that its strongest position depends on.
 *
 * @param examples - of the same units in the same order, at least one example each
 */
export async function exampleSheet(
  units: readonly UnitResult[],
  examples: readonly UnitExamples[],
): Promise<Picture> {
  const side = units[0]!.picture.width;
  const columns = 1 + Math.max(...examples.map((found) => found.examples.length));
  const tiles: Tile[] = [];
  for (const [i, { unit, picture, dead, activation }] of units.entries()) {
    const found = examples[i]!.examples;
    const pictures = await Promise.all(found.map((example) => square(example.picture, side)));
    const crops = await Promise.all(found.map(({ crop }) => square(crop, side)));
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

async function square(picture: Picture, side: number): Promise<Picture> {
  const data = await resized(picture.data, { batch: 1, ...picture }, side);
  return { ...picture, width: side, height: side, data };
}

const blankLike = (picture: Picture): Picture => ({ ...picture, data: picture.data.map(() => 1) });
