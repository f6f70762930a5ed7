/** @file The picture itself, kept between black and white. */
import type { Random } from '../../core/random.js';
import * as tf from '../../engine/functions/tfjs.js';
import type { Parameterization, PictureShape } from './parameterization.js';

/** Starts from uniform noise; values in [0, 1]. */
export function pixels({ batch, height, width, channels }: PictureShape): Parameterization {
  return {
    name: 'pixel',
    shape: [batch, height, width, channels],
    picture: (parameter) => parameter as tf.Tensor4D,
    noise: (random: Random) => random.uniforms(batch * height * width * channels),
    fromPictures: async (pictures) => pictures.slice(),
    project: (parameter) => tf.clipByValue(parameter, 0, 1),
  };
}
