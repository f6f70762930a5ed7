/**
 * @file How much a foreign network may ask for: far above any real one, and small enough to be refused before memory is
 * taken.
 */
import { UserError } from '../core/errors.js';

export const limits = {
  /** Bytes of a `model.json` or `config.json`. */
  jsonBytes: 2 ** 27,
  /** Lists and objects inside each other in it. */
  jsonDepth: 256,
  /** Bytes of an .onnx file: protobuf's own limit. */
  onnxBytes: 2 ** 31 - 1,
  /** What it may take in memory, in units of some 16 bytes: 1 GB, besides arrays of bytes. */
  onnxSize: 2 ** 26,
  /** Layers, operations, inputs and outputs of them, arrays of a file. */
  nodes: 200_000,
  /** Keras models inside each other. */
  models: 32,
  /** Characters of a name. */
  name: 1000,
  /** Parts of a name, between slashes or dots. */
  scopes: 64,
  /** Files that the weights of a network lie in. */
  shards: 10_000,
  /** Channels of a picture. */
  pictureChannels: 4096,
  /** Axes of an array. */
  axes: 16,
  /** Entries of an array, while one picture is computed. */
  elements: 2 ** 28,
  /** Numbers that are worked out while reading: in one array, and in all. */
  numbers: 2 ** 20,
  allNumbers: 2 ** 24,
  /** Entries of a matrix [output, input] that resizes one axis. */
  resize: 2 ** 24,
  /** Channels that are normalized across, by a matrix [channel, channel]. */
  lrnChannels: 4096,
} as const;

/** The first axes, for a message. */
export const shown = (shape: readonly (number | string)[]): string =>
  shape.length > limits.axes ? `${shape.slice(0, limits.axes)},…` : `${shape}`;

/**
 * Throws UserError unless an array of this shape can be computed.
 *
 * @param pictures - how many at once
 */
export function checkArray(shape: readonly number[], pictures = 1): void {
  if (shape.length > limits.axes) {
    throw new UserError(`makes an array of ${shape.length} axes: at most ${limits.axes} are supported`);
  }
  if (!shape.every((dim) => Number.isSafeInteger(dim) && dim > 0)) {
    throw new UserError(`makes an array of [${shape}], which is impossible`);
  }
  const size = shape.reduce((product, dim) => product * dim, 1);
  if (size <= limits.elements * pictures) return;
  throw new UserError(
    `makes an array of [${shape}], more than the ${limits.elements} entries that are supported`,
  );
}

/** Throws UserError for more of something than is supported. */
export function checkCount(count: number, limit: number, what: string): void {
  if (count > limit) throw new UserError(`${count} ${what}: at most ${limit} are supported`);
}
