/**
 * @file Pad, jitter, scale, rotate and crop: any row of them is one affine map, so the picture is resampled once.
 *
 * Positions are in pixels from the middle, (y, x). A map says for a position of the view where it lies in the picture:
 * [a, b, c, d, e, f]: y' = a y + b x + c, x' = d y + e x + f.
 */
import type { Random } from '../../core/random.js';
import * as tf from '../../engine/functions/tfjs.js';
import type { Range, Transform } from './transform.js';

export type WarpTransform = Extract<Transform, { kind: 'pad' | 'jitter' | 'scale' | 'rotate' | 'crop' }>;

export type AffineMap = readonly [number, number, number, number, number, number];

const identity: AffineMap = [1, 0, 0, 0, 1, 0];

/** Grey, where a view reaches beyond the picture. */
const BORDER = 0.5;

export function isWarp(transform: Transform): transform is WarpTransform {
  return ['pad', 'jitter', 'scale', 'rotate', 'crop'].includes(transform.kind);
}

/** Pixels that the pads add to each side's length. */
export function addedByPads(transforms: readonly WarpTransform[]): number {
  return transforms.reduce((sum, t) => sum + (t.kind === 'pad' ? 2 * t.pixels : 0), 0);
}

const draw = (random: Random, { low, high }: Range): number => low + (high - low) * random.uniform();

/** First `inner`, then `outer`. */
function after([a, b, c, d, e, f]: AffineMap, inner: AffineMap): AffineMap {
  const [p, q, r, s, t, u] = inner;
  return [a * p + b * s, a * q + b * t, a * r + b * u + c, d * p + e * s, d * q + e * t, d * r + e * u + f];
}

/**
 * One map from the view to the picture, its numbers drawn.
 *
 * @param canvas - height and width with all pads
 * @param view - height and width of the result, which the canvas is brought to
 */
export function drawMap(
  transforms: readonly WarpTransform[],
  random: Random,
  canvas: readonly [number, number],
  view: readonly [number, number],
): AffineMap {
  // From the picture outwards: each map takes positions after the transform to positions before it.
  let map = identity;
  for (const transform of transforms) map = after(map, drawStep(transform, random, canvas));
  return after(map, [canvas[0] / view[0], 0, 0, 0, canvas[1] / view[1], 0]);
}

function drawStep(
  transform: WarpTransform,
  random: Random,
  [height, width]: readonly [number, number],
): AffineMap {
  switch (transform.kind) {
    case 'pad':
      return identity;
    case 'jitter': {
      const shift = (): number => random.integer(transform.pixels + 1) - Math.floor(transform.pixels / 2);
      return [1, 0, shift(), 0, 1, shift()];
    }
    case 'scale': {
      const factor = draw(random, transform.factor);
      return [1 / factor, 0, 0, 0, 1 / factor, 0];
    }
    case 'rotate': {
      const angle = (draw(random, transform.degrees) * Math.PI) / 180;
      return [Math.cos(angle), -Math.sin(angle), 0, Math.sin(angle), Math.cos(angle), 0];
    }
    case 'crop': {
      const share = draw(random, transform.share);
      const offset = (length: number): number => (1 - share) * length * (random.uniform() - 0.5);
      return [share, 0, offset(height), 0, share, offset(width)];
    }
  }
}

/**
 * Pictures [batch, height, width, channel] seen through a map each, bilinear.
 *
 * @param maps - [batch, 6]
 * @returns [batch, ...view, channel]
 */
export function warp(pictures: tf.Tensor4D, maps: tf.Tensor, view: readonly [number, number]): tf.Tensor4D {
  const [batch, height, width, channel] = pictures.shape;
  const [rows, columns] = view;
  const area = rows * columns;
  const grid = (value: (row: number, column: number) => number): tf.Tensor2D => {
    const data = new Float32Array(area);
    for (let k = 0; k < area; k++) data[k] = value(Math.floor(k / columns), k % columns);
    return tf.tensor2d(data, [1, area]);
  };
  const y = grid((row) => row - (rows - 1) / 2);
  const x = grid((_, column) => column - (columns - 1) / 2);
  const entry = (i: number): tf.Tensor => tf.slice(maps, [0, i], [batch, 1]);
  // Where each pixel of the view lies in the picture, [batch, area], from its top left pixel.
  const along = (first: number, length: number): tf.Tensor =>
    tf.add(
      tf.add(tf.mul(entry(first), y), tf.mul(entry(first + 1), x)),
      tf.add(entry(first + 2), (length - 1) / 2),
    );
  const [py, px] = [along(0, height), along(3, width)];
  const [top, left] = [tf.floor(py), tf.floor(px)];
  const [down, right] = [tf.sub(py, top), tf.sub(px, left)];
  const pixels = tf.reshape(pictures, [batch * height * width, channel]);
  const firstPixel = tf.tensor2d(
    Float32Array.from({ length: batch }, (_, i) => i * height * width),
    [batch, 1],
  );
  const inside = (position: tf.Tensor, length: number): tf.Tensor =>
    tf.cast(tf.logicalAnd(tf.greaterEqual(position, 0), tf.lessEqual(position, length - 1)), 'float32');

  let sum: tf.Tensor | null = null;
  let covered: tf.Tensor | null = null;
  for (const [dy, shareY] of [
    [0, tf.sub(1, down)],
    [1, down],
  ] as const) {
    for (const [dx, shareX] of [
      [0, tf.sub(1, right)],
      [1, right],
    ] as const) {
      const [row, column] = [tf.add(top, dy), tf.add(left, dx)];
      const weight = tf.mul(
        tf.mul(shareY, shareX),
        tf.mul(inside(row, height), inside(column, width)),
      ) as tf.Tensor2D;
      const at = tf.add(
        firstPixel,
        tf.add(tf.mul(tf.clipByValue(row, 0, height - 1), width), tf.clipByValue(column, 0, width - 1)),
      );
      const index = tf.cast(tf.reshape(at, [batch * area]), 'int32') as tf.Tensor1D;
      const part = tf.mul(tf.gather(pixels, index), tf.reshape(weight, [batch * area, 1]));
      sum = sum ? tf.add(sum, part) : part;
      covered = covered ? tf.add(covered, weight) : weight;
    }
  }
  const border = tf.mul(tf.sub(1, covered!), BORDER);
  return tf.reshape(tf.add(sum!, tf.reshape(border, [batch * area, 1])), [batch, rows, columns, channel]);
}
