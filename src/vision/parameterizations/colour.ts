/** @file Colours whose axes are as independent as those of photographs, so that a step changes all alike (lucid). */
import * as tf from '../../engine/functions/tfjs.js';
import type { InputKind } from '../names.js';
import { colourPlanes } from '../planes.js';

/** A square root of the covariance of ImageNet's colours, its largest column of length 1 (lucid's `color.py`). */
const correlation = [
  [0.26, 0.09, 0.02],
  [0.27, 0, -0.05],
  [0.27, -0.09, 0.03],
].map((row) => row.map((entry) => entry / 0.4619523));

/** The picture in [0, 1] of decorrelated values [batch, height, width, channel]; grey planes have nothing to mix. */
export function toColours(values: tf.Tensor4D, input?: InputKind): tf.Tensor4D {
  return tf.sigmoid(mixed(values, correlation, input));
}

/** The values whose picture this is; what is nearly 0 or 1 becomes 0.02 or 0.98, beyond which no step would move it. */
export function fromColours(picture: tf.Tensor4D, input?: InputKind): tf.Tensor4D {
  const clipped = tf.clipByValue(picture, 0.02, 0.98);
  const logits = tf.log(tf.div(clipped, tf.sub(1, clipped))) as tf.Tensor4D;
  return mixed(logits, inverse(correlation), input);
}

/** The planes that are colours, each three of them mixed by a 3 x 3 matrix; the others as they are. */
function mixed(
  values: tf.Tensor4D,
  matrix: readonly (readonly number[])[],
  input: InputKind | undefined,
): tf.Tensor4D {
  const planes = values.shape[3];
  const colours = colourPlanes(planes, input);
  if (colours === 0) return values;
  const entry = (to: number, from: number): number => {
    if (to >= colours || from >= colours) return to === from ? 1 : 0;
    return Math.floor(to / 3) === Math.floor(from / 3) ? matrix[to % 3]![from % 3]! : 0;
  };
  const entries = Array.from({ length: planes ** 2 }, (_, k) => entry(Math.floor(k / planes), k % planes));
  // [batch * height * width, planes] x [planes, planes], rows of the matrix being outputs
  const product = tf.matMul(
    tf.reshape(values, [-1, planes]),
    tf.tensor2d(entries, [planes, planes], 'float32'),
    false,
    true,
  );
  return tf.reshape(product, values.shape);
}

/** Inverse of a 3 x 3 matrix, by cofactors. */
function inverse(m: readonly (readonly number[])[]): number[][] {
  const at = (row: number, column: number): number => m[row % 3]![column % 3]!;
  const cofactor = (i: number, j: number): number =>
    at(i + 1, j + 1) * at(i + 2, j + 2) - at(i + 1, j + 2) * at(i + 2, j + 1);
  const determinant = [0, 1, 2].reduce((sum, j) => sum + at(0, j) * cofactor(0, j), 0);
  return [0, 1, 2].map((i) => [0, 1, 2].map((j) => cofactor(j, i) / determinant));
}
