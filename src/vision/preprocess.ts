/** @file From a picture to what a network reads: the range, mean and channel order it was trained with. */
import * as tf from '../engine/functions/tfjs.js';

/** input[c] = picture[c] * scale[c] + offset[c], for a picture in [0, 1]; channels reversed first where the order is `bgr`. */
export interface Preprocessing {
  readonly order: 'rgb' | 'bgr';
  readonly scale: readonly number[];
  readonly offset: readonly number[];
}

/** (picture - mean) / std, mean and std in [0, 1]. */
export function meanStd(mean: readonly number[], std: readonly number[]): Preprocessing {
  return { order: 'rgb', scale: std.map((s) => 1 / s), offset: mean.map((m, c) => -m / std[c]!) };
}

/** Pictures from `low` to `high`. */
export function range(low: number, high: number, channels = 3): Preprocessing {
  return {
    order: 'rgb',
    scale: new Array<number>(channels).fill(high - low),
    offset: new Array<number>(channels).fill(low),
  };
}

/** ImageNet's statistics as torchvision and timm use them. */
export const imagenet = meanStd([0.485, 0.456, 0.406], [0.229, 0.224, 0.225]);

/** Caffe's, kept by Keras for VGG and ResNet: 0 to 255, blue first, the mean subtracted. */
export const caffe: Preprocessing = {
  order: 'bgr',
  scale: [255, 255, 255],
  offset: [-103.939, -116.779, -123.68],
};

/** Pictures [batch, height, width, channel] in [0, 1] as the network reads them: a grey picture in every plane. */
export function preprocess(pictures: tf.Tensor4D, { order, scale, offset }: Preprocessing): tf.Tensor4D {
  let x: tf.Tensor = pictures;
  const channels = pictures.shape[3];
  if (channels === 1 && scale.length > 1) x = tf.tile(pictures, [1, 1, 1, scale.length]);
  else if (order === 'bgr') {
    x = tf.concat(
      Array.from({ length: channels }, (_, c) =>
        tf.slice(pictures, [0, 0, 0, channels - 1 - c], [...pictures.shape.slice(0, 3), 1]),
      ),
      3,
    );
  }
  if (scale.some((s) => s !== 1)) x = tf.mul(x, tf.tensor1d([...scale]));
  if (offset.some((o) => o !== 0)) x = tf.add(x, tf.tensor1d([...offset]));
  return x as tf.Tensor4D;
}
