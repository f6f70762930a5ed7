/**
 * @file Resizing, adaptive pooling and mirrored borders as two small matrix products, one for each axis.
 *
 * A matrix row says which input positions an output position mixes. That covers every coordinate convention of Keras,
 * PyTorch and ONNX, is differentiable as it stands, and needs no kernel of its own.
 */
import * as tf from '../../engine/functions/tfjs.js';

/** `area`: the mean over the input cells an output cell covers (adaptive average pooling). */
export type Interpolation = 'nearest' | 'linear' | 'cubic' | 'area';

/** Where output position i lies in the input; ONNX's names. */
export type Coordinates =
  | 'half_pixel'
  | 'half_pixel_symmetric'
  | 'pytorch_half_pixel'
  | 'align_corners'
  | 'asymmetric';

export interface ResizeOptions {
  readonly interpolation: Interpolation;
  readonly coordinates?: Coordinates;
  readonly rounding?: 'floor' | 'ceil' | 'round_prefer_floor' | 'round_prefer_ceil';
  /** Cubic coefficient: -0.75 in PyTorch and ONNX, -0.5 in TensorFlow. */
  readonly cubic?: number;
  /** Where it makes the image smaller, what is left out is averaged. */
  readonly antialias?: boolean;
  /** Positions outside of the input have no weight; else they are its border's. */
  readonly excludeOutside?: boolean;
}

/** A matrix [output, input] by rows. */
export type Rows = readonly (readonly number[])[];

function sourcePosition(i: number, input: number, output: number, scale: number, mode: Coordinates): number {
  if (mode === 'asymmetric') return i / scale;
  if (mode === 'align_corners') return output === 1 ? 0 : (i * (input - 1)) / (output - 1);
  if (mode === 'pytorch_half_pixel' && output === 1) return 0;
  if (mode === 'half_pixel_symmetric') {
    const centre = (input / 2) * (1 - output / (input * scale));
    return centre + (i + 0.5) / scale - 0.5;
  }
  return (i + 0.5) / scale - 0.5;
}

function round(x: number, rounding: ResizeOptions['rounding']): number {
  if (rounding === 'floor') return Math.floor(x);
  if (rounding === 'ceil') return Math.ceil(x);
  return rounding === 'round_prefer_ceil' ? Math.floor(x + 0.5) : Math.ceil(x - 0.5);
}

/** Keys' cubic convolution kernel. */
function cubicWeight(distance: number, a: number): number {
  const t = Math.abs(distance);
  if (t <= 1) return (a + 2) * t ** 3 - (a + 3) * t ** 2 + 1;
  return t < 2 ? a * t ** 3 - 5 * a * t ** 2 + 8 * a * t - 4 * a : 0;
}

/** One axis: each of `output` positions as weights of the `input` positions. `scale` defaults to output / input. */
export function resizeMatrix(
  input: number,
  output: number,
  options: ResizeOptions,
  scale = output / input,
): Rows {
  const { interpolation, coordinates = 'half_pixel', cubic = -0.75 } = options;
  const clamp = (k: number): number => Math.min(Math.max(k, 0), input - 1);
  return Array.from({ length: output }, (_, i) => {
    const row = new Array<number>(input).fill(0);
    const add = (k: number, weight: number): void => {
      if (!options.excludeOutside || k === clamp(k)) row[clamp(k)]! += weight;
    };
    const x = sourcePosition(i, input, output, scale, coordinates);
    if (interpolation === 'area') {
      const start = Math.floor((i * input) / output);
      const end = Math.ceil(((i + 1) * input) / output);
      for (let k = start; k < end; k++) add(k, 1 / (end - start));
    } else if (interpolation === 'nearest') {
      add(round(x, options.rounding), 1);
    } else if (options.antialias && scale < 1) {
      // The kernel is as wide as what one position of the output covers.
      const reach = (interpolation === 'linear' ? 1 : 2) / scale;
      for (let k = Math.ceil(x - reach); k <= Math.floor(x + reach); k++) {
        const distance = Math.abs(x - k) * scale;
        add(k, interpolation === 'linear' ? Math.max(0, 1 - distance) : cubicWeight(distance, cubic));
      }
      return normalized(row);
    } else if (interpolation === 'linear') {
      const low = Math.floor(x);
      add(low, 1 - (x - low));
      add(low + 1, x - low);
    } else {
      const low = Math.floor(x);
      for (let k = low - 1; k <= low + 2; k++) add(k, cubicWeight(x - k, cubic));
    }
    return options.excludeOutside ? normalized(row) : row;
  });
}

/** Weights that sum to 1. */
function normalized(row: readonly number[]): number[] {
  const sum = row.reduce((a, b) => a + b, 0);
  return row.map((weight) => weight / sum);
}

/** One axis with a border: `reflect` mirrors without repeating the edge, `symmetric` repeats it, `edge` copies it. */
export function borderMatrix(
  input: number,
  before: number,
  after: number,
  mode: 'reflect' | 'symmetric' | 'edge',
): Rows {
  const source = (k: number): number => {
    if (mode === 'edge' || input === 1) return Math.min(Math.max(k, 0), input - 1);
    const period = mode === 'reflect' ? 2 * input - 2 : 2 * input;
    const folded = ((k % period) + period) % period;
    return folded < input ? folded : mode === 'reflect' ? period - folded : period - 1 - folded;
  };
  return Array.from({ length: before + input + after }, (_, i) => {
    const row = new Array<number>(input).fill(0);
    row[source(i - before)] = 1;
    return row;
  });
}

function isIdentity(rows: Rows): boolean {
  return rows.length === rows[0]?.length && rows.every((row, i) => row[i] === 1);
}

/** Applies [newHeight, height] and [newWidth, width] to an image [batch, height, width, channel]. */
export function resample(image: tf.Tensor4D, rows: Rows, columns: Rows): tf.Tensor4D {
  const [batch, height, width, channel] = image.shape;
  const matrix = (m: Rows): tf.Tensor3D => tf.tensor3d(m.flat(), [1, m.length, m[0]!.length], 'float32');
  let x: tf.Tensor = image;
  let newHeight = height;
  if (!isIdentity(rows)) {
    newHeight = rows.length;
    // [1, newHeight, height] x [batch, height, width * channel]
    x = tf.matMul(matrix(rows), tf.reshape(x, [batch, height, width * channel]));
  }
  if (!isIdentity(columns)) {
    // [1, newWidth, width] x [batch * newHeight, width, channel]
    x = tf.matMul(matrix(columns), tf.reshape(x, [batch * newHeight, width, channel]));
  }
  return tf.reshape(x, [batch, newHeight, isIdentity(columns) ? width : columns.length, channel]);
}
