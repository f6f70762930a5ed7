/** @file How large a picture is when nobody says, and whether a network can be shown it. */
import { UserError } from '../../core/errors.js';
import { field } from '../../core/field.js';
import type { VisionNetwork } from '../network.js';
import { checkPosition, type Objective, type ReadyTerm } from '../objectives/objective.js';
import type { PictureShape } from '../parameterizations/parameterization.js';
import { formatSize, type PictureSize } from '../picture-size.js';
import type { Transform } from '../transforms/transform.js';
import { makeView, type View } from '../transforms/view.js';

/** Proportions that differ by less are those of a rounded size. */
const ROUNDING = 0.02;

/** As many pixels as a square of the network's size, of 128 at least and of 224 at most, in these proportions. */
export function defaultSize({ input }: VisionNetwork, like: PictureSize = input): PictureSize {
  const side = Math.max(128, Math.min(Math.sqrt(input.width * input.height), 224));
  const scale = side / Math.sqrt(like.width * like.height);
  const pixels = (length: number): number => Math.max(1, Math.round(length * scale));
  return { width: pixels(like.width), height: pixels(like.height) };
}

/** The proportions of a picture to start from, where the layers can be shown them. */
export function sizeLike(
  network: VisionNetwork,
  terms: readonly ReadyTerm[],
  like: PictureSize,
): PictureSize {
  const size = defaultSize(network, like);
  return isSqueezed(network, layersOf(terms), size) ? defaultSize(network) : size;
}

/** Throws UserError for a picture that would be squeezed, as the layers read one size alone, of other proportions. */
export function checkSize(network: VisionNetwork, terms: readonly ReadyTerm[], size: PictureSize): void {
  const layers = layersOf(terms);
  if (!isSqueezed(network, layers, size)) return;
  throw new UserError(
    `${layers.join(', ')} of ${network.name} can only be computed for pictures of ${formatSize(network.input)}, which one of ${formatSize(size)} does not fit: leave ${field('size')} out, or keep to these proportions`,
  );
}

/** Throws UsageError for a position that a layer's map does not have, for pictures of this size. */
export function checkPositions(
  network: VisionNetwork,
  terms: readonly ReadyTerm[],
  { height, width }: PictureSize,
): void {
  const seen = network.reads([height, width], layersOf(terms)) ? { height, width } : network.input;
  for (const { term } of terms) {
    if (term.kind !== 'unit' || term.unit.position === null || term.unit.position === 'cls') continue;
    const { layer, position } = term.unit;
    checkPosition(layer, position, network.shapeAt(layer, [seen.height, seen.width]));
  }
}

/** Layers behind dense ones read pictures of the network's own size alone: others are brought to it. */
function isSqueezed(network: VisionNetwork, layers: readonly string[], size: PictureSize): boolean {
  const { height, width } = network.input;
  if (Math.abs((size.width * height) / (size.height * width) - 1) <= ROUNDING) return false;
  return !network.reads([size.height, size.width], layers) && network.reads([height, width], layers);
}

export const layersOf = (terms: readonly ReadyTerm[]): string[] =>
  terms.flatMap(({ layer }) => (layer ? [layer.name] : []));

/** The view at the picture's own size where the network can read that, else at the size that it was trained at. */
export function viewFor(
  network: VisionNetwork,
  objective: Objective,
  transforms: readonly Transform[],
  shape: PictureShape,
): View {
  const free = makeView(transforms, shape);
  const layers = layersOf(objective.terms);
  if (network.reads(free.size, layers)) return free;
  const { height, width } = network.input;
  if (network.reads([height, width], layers)) return makeView(transforms, shape, [height, width]);
  return free;
}
