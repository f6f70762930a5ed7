/** @file A list of transforms as a function of pictures and random numbers: what the network is shown at one step. */
import type { Random } from '../../core/random.js';
import * as tf from '../../engine/functions/tfjs.js';
import type { TensorSpec } from '../../engine/tensor-spec.js';
import type { PictureShape } from '../parameterizations/parameterization.js';
import type { Range, Transform } from './transform.js';
import { addedByPads, drawMap, isWarp, type WarpTransform, warp } from './warp.js';

/** Transforms ready to be compiled; random numbers enter as inputs. */
export interface View {
  /** Height and width of what the network sees. */
  readonly size: readonly [number, number];
  readonly inputs: Readonly<Record<string, TensorSpec>>;
  /** Numbers for one step. */
  draw(random: Random): Record<string, Float32Array>;
  /** The views [batch, ...size, channel] of pictures [batch, height, width, channel] in [0, 1]. */
  apply(pictures: tf.Tensor4D, inputs: Readonly<Record<string, tf.Tensor>>): tf.Tensor4D;
}

/** One stage: a row of warps taken together, or one other transform. */
interface Stage {
  readonly size: readonly [number, number];
  readonly input: TensorSpec;
  draw(random: Random): Float32Array;
  apply(pictures: tf.Tensor4D, input: tf.Tensor): tf.Tensor4D;
}

/**
 * The view through a list of transforms.
 *
 * @param wanted - the only size that the network can read, when it has one; the picture is then brought to it
 */
export function makeView(
  transforms: readonly Transform[],
  { batch, height, width, channels }: PictureShape,
  wanted: readonly [number, number] | null = null,
): View {
  const stages: Stage[] = [];
  let size: readonly [number, number] = [height, width];
  let warps: WarpTransform[] = [];
  const endWarps = (view: readonly [number, number] | null): void => {
    const sameSize = !view || (view[0] === size[0] && view[1] === size[1]);
    if (warps.length > 0 || !sameSize) {
      stages.push(warpStage(warps, batch, size, view));
      size = stages.at(-1)!.size;
    }
    warps = [];
  };
  transforms.forEach((transform) => {
    if (isWarp(transform)) {
      warps.push(transform);
      return;
    }
    endWarps(null);
    stages.push(otherStage(transform, { batch, height: size[0], width: size[1], channels }));
  });
  endWarps(wanted);
  const names = stages.map((_, i) => `transform ${i}`);
  return {
    size,
    inputs: Object.fromEntries(stages.map((stage, i) => [names[i]!, stage.input])),
    draw: (random) => Object.fromEntries(stages.map((stage, i) => [names[i]!, stage.draw(random)])),
    apply: (pictures, inputs) => stages.reduce((x, stage, i) => stage.apply(x, inputs[names[i]!]!), pictures),
  };
}

function otherStage(transform: Exclude<Transform, WarpTransform>, shape: PictureShape): Stage {
  switch (transform.kind) {
    case 'blur':
      return blurStage(transform.sigma, shape);
    case 'noise':
      return noiseStage(transform.deviation, shape);
    case 'color':
      return colorStage(transform.strength, shape);
  }
}

function warpStage(
  transforms: readonly WarpTransform[],
  batch: number,
  [height, width]: readonly [number, number],
  view: readonly [number, number] | null,
): Stage {
  const added = addedByPads(transforms);
  const canvas = [height + added, width + added] as const;
  const size = view ?? canvas;
  return {
    size,
    input: { shape: [batch, 6] },
    draw: (random) =>
      Float32Array.from(
        Array.from({ length: batch }, () => drawMap(transforms, random, canvas, size)).flat(),
      ),
    apply: (pictures, maps) => warp(pictures, maps, size),
  };
}

function blurStage(sigma: Range, { batch, height, width }: PictureShape): Stage {
  /** Weights of one axis, [batch, length, length], rows sum to 1. */
  const weights = (length: number, sigmas: tf.Tensor): tf.Tensor => {
    const distances = Float32Array.from(
      { length: length * length },
      (_, k) => (Math.floor(k / length) - (k % length)) ** 2,
    );
    const precision = tf.div(-0.5, tf.maximum(tf.square(sigmas), 1e-4));
    const bell = tf.exp(
      tf.mul(tf.tensor3d(distances, [1, length, length]), tf.reshape(precision, [batch, 1, 1])),
    );
    return tf.div(bell, tf.sum(bell, 2, true));
  };
  return {
    size: [height, width],
    input: { shape: [batch] },
    draw: (random) => random.uniforms(batch).map((u) => sigma.low + (sigma.high - sigma.low) * u),
    apply(pictures, sigmas) {
      const channel = pictures.shape[3];
      const down = tf.matMul(weights(height, sigmas), tf.reshape(pictures, [batch, height, width * channel]));
      // [batch, 1, width, width] x [batch, height, width, channel]
      const across = tf.expandDims(weights(width, sigmas), 1);
      return tf.matMul(across, tf.reshape(down, [batch, height, width, channel])) as tf.Tensor4D;
    },
  };
}

function noiseStage(deviation: Range, { batch, height, width, channels }: PictureShape): Stage {
  const count = height * width * channels;
  return {
    size: [height, width],
    input: { shape: [batch, height, width, channels] },
    draw(random) {
      const noise = random.normals(batch * count);
      for (let i = 0; i < batch; i++) {
        const scale = deviation.low + (deviation.high - deviation.low) * random.uniform();
        for (let k = i * count; k < (i + 1) * count; k++) noise[k]! *= scale;
      }
      return noise;
    },
    apply: (pictures, noise) => tf.add(pictures, noise),
  };
}

/** Deviation of the colours of photographs in [0, 1], and their mean. */
const COLOR_DEVIATION = 0.225;
const GREY = 0.5;

function colorStage(strength: number, { batch, height, width, channels }: PictureShape): Stage {
  const planes = [batch, 1, 1, channels];
  return {
    size: [height, width],
    // Factors, then what is added.
    input: { shape: [2, batch * channels] },
    draw(random) {
      const drawn = random.uniforms(2 * batch * channels).map((u) => strength * (2 * u - 1));
      const half = batch * channels;
      for (let k = 0; k < half; k++) {
        const factor = Math.exp(drawn[k]!);
        drawn[k] = factor;
        drawn[half + k] = GREY * (1 - factor) + COLOR_DEVIATION * drawn[half + k]!;
      }
      return drawn;
    },
    apply(pictures, input) {
      const [factor, added] = [0, 1].map((i) =>
        tf.reshape(tf.slice(input, [i, 0], [1, batch * channels]), planes),
      );
      return tf.add(tf.mul(pictures, factor!), added!);
    },
  };
}
