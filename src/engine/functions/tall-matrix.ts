/**
 * @file What is made of matrices of many rows, as an embedding of a large vocabulary is, read a block of rows at a time: one
 * that stays in half precision is never wide as a whole. (Products with it need nothing of this: they are split when they are
 * compiled.)
 */
import { tracedTraits } from '../compiler/emit.js';
import { WIDE_AT_ONCE } from '../traits.js';
import * as tf from './tfjs.js';

/** Elements from which on a matrix is read in blocks: as float32 it takes a quarter of a gibibyte. */
const TALL = 2 ** 26;

/** Products held at a time: small enough to stay near the cache, large enough for the matrix product. */
export const PRODUCTS_AT_ONCE = 4_000_000;

/** A block that has fewer rows costs more in calls than it saves. */
const LEAST_ROWS = 1024;

/** Rows `[start, start + size)` of a matrix. */
export interface RowBlock {
  readonly start: number;
  readonly size: number;
}

/**
 * How many rows of `[height, width]` are read at once: all, unless it is tall and blocks of it need no copy.
 *
 * @param count - how many vectors each row is multiplied by
 */
export function rowsAtOnce(height: number, width: number, count: number): number {
  if (height * width < TALL || !tracedTraits().viewsWeights) return height;
  const fitting = Math.min(WIDE_AT_ONCE / width, PRODUCTS_AT_ONCE / count);
  return Math.max(LEAST_ROWS, Math.floor(fitting));
}

/** Blocks of so many rows; the last may have fewer. */
export function blocksOf(height: number, atOnce: number): RowBlock[] {
  const starts = Array.from({ length: Math.ceil(height / atOnce) }, (_, i) => i * atOnce);
  return starts.map((start) => ({ start, size: Math.min(atOnce, height - start) }));
}

/** Rows of a matrix; the matrix itself where the block is all of it. */
export function rowsOf<T extends tf.Tensor>(matrix: T, { start, size }: RowBlock): T {
  if (size === matrix.shape[0]) return matrix;
  return tf.slice(matrix, [start, ...matrix.shape.slice(1).map(() => 0)], [size, ...matrix.shape.slice(1)]);
}

/** What is read of a matrix, block by block. */
function byBlocks<T>(
  matrix: tf.Tensor2D,
  atOnce: number,
  read: (rows: tf.Tensor2D, block: RowBlock) => T,
): T[] {
  return blocksOf(matrix.shape[0], atOnce).map((block) => read(rowsOf(matrix, block), block));
}

const joined = (parts: readonly tf.Tensor[], axis: number) =>
  parts.length === 1 ? parts[0]! : tf.concat([...parts], axis);
const sum = (parts: readonly tf.Tensor[]) => (parts.length === 1 ? parts[0]! : tf.addN([...parts]));
const atOnceFor = ({ shape: [height, width] }: tf.Tensor2D, count: number) =>
  rowsAtOnce(height, width, count);

/** A figure of each row, made of the rows alone: `[height, width]` to `[height]`. */
export function ofEachRow(
  matrix: tf.Tensor2D,
  figure: (rows: tf.Tensor2D) => tf.Tensor,
  atOnce = atOnceFor(matrix, 1),
): tf.Tensor1D {
  return joined(byBlocks(matrix, atOnce, figure), 0) as tf.Tensor1D;
}

/** The mean row, `[1, width]`. */
export function meanRow(matrix: tf.Tensor2D, atOnce = atOnceFor(matrix, 1)): tf.Tensor2D {
  const sums = byBlocks(matrix, atOnce, (rows) => tf.sum(rows, 0, true));
  return tf.mul(sum(sums), 1 / matrix.shape[0]) as tf.Tensor2D;
}

/** Sum over rows of each, minus the mean row, times itself: `[width, width]`. */
export function centredGram(matrix: tf.Tensor2D, atOnce = atOnceFor(matrix, matrix.shape[1])): tf.Tensor2D {
  const mean = meanRow(matrix, atOnce);
  const grams = byBlocks(matrix, atOnce, (rows) => {
    const centred = tf.sub(rows, mean) as tf.Tensor2D;
    return tf.matMul(centred, centred, true, false);
  });
  return sum(grams) as tf.Tensor2D;
}
