/** @file What is optimized in place of a picture, and the picture that it stands for. */

import type { Random } from '../../core/random.js';
import { compile } from '../../engine/compile.js';
import type * as tf from '../../engine/functions/tfjs.js';
import type { InputKind, ParameterizationName } from '../names.js';

/** Size of a batch of pictures. */
export interface PictureShape {
  readonly batch: number;
  readonly height: number;
  readonly width: number;
  /** 3 (RGB), 1 (grey), or another number of planes. */
  readonly channels: number;
  /** What the planes are; default: `usualInput`. */
  readonly input?: InputKind;
}

export interface Parameterization {
  readonly name: ParameterizationName;
  /** Shape of what is optimized; the batch comes first. */
  readonly shape: readonly number[];
  /** The pictures [batch, height, width, channel] in [0, 1] of a parameter. A function of tensors, to be compiled. */
  picture(parameter: tf.Tensor): tf.Tensor4D;
  /** Where a start from noise begins. */
  noise(random: Random): Float32Array;
  /** The parameter whose pictures come nearest to these, [batch, height, width, channel] in [0, 1]. */
  fromPictures(pictures: Float32Array): Promise<Float32Array>;
  /** What every step ends with, where parameters have bounds. */
  project?(parameter: tf.Tensor): tf.Tensor;
}

/** Runs a function of one batch of pictures once. */
export async function computeOnce(
  pictures: Float32Array,
  { batch, height, width, channels }: PictureShape,
  fn: (pictures: tf.Tensor4D) => tf.Tensor,
): Promise<Float32Array> {
  const compiled = await compile(({ pictures }) => ({ result: fn(pictures as tf.Tensor4D) }), {
    inputs: { pictures: { shape: [batch, height, width, channels] } },
  });
  const { result } = await compiled.run({ pictures });
  compiled.dispose();
  return result as Float32Array;
}
