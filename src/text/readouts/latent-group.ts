/** @file How latents of a dictionary are read off a pass, and whether the dictionary fits the model. */
import * as tf from '../../engine/functions/tfjs.js';
import { extendWeights } from '../../engine/weights/extend.js';
import type { WeightSource } from '../../engine/weights/weights.js';
import type { Dictionary } from '../dictionaries/dictionary.js';
import type { LatentPlace } from '../dictionaries/dictionary-places.js';
import { LatentArrays } from '../dictionaries/latent-arrays.js';
import type { Place } from '../lm/places.js';
import type { Fit, PassContext, Readout, ReadoutGroup, Siblings } from './readout.js';

/** A dictionary at a place of a model. */
export interface Placed {
  readonly dictionary: Dictionary;
  readonly place: LatentPlace;
  /** As units name it. */
  readonly path: string;
  nameOf(index: number): string;
  /** Equal for the same dictionary at the same place. */
  readonly hash: string;
}

/** Chosen latents of a dictionary; all of them for null. */
export class LatentGroup implements ReadoutGroup {
  readonly key: string;
  protected readonly chosen: LatentArrays;
  /** Whether a latent is among the largest is known from all. */
  protected readonly every: LatentArrays;

  constructor(
    protected readonly placed: Placed,
    protected readonly indices: readonly number[] | null,
  ) {
    this.key = `latents ${placed.hash} ${indices === null ? 'all' : indices.join(',')}`;
    this.chosen = new LatentArrays(placed.dictionary, this.key, indices);
    this.every = new LatentArrays(placed.dictionary, `latents ${placed.hash} all`, null);
  }

  get depth(): number {
    const { layer, name } = this.placed.place;
    return name === 'hook_resid_pre' ? layer : layer + 1;
  }

  get size(): number {
    return this.indices?.length ?? this.placed.dictionary.size;
  }

  get siblings(): Siblings {
    const { placed } = this;
    const { layer } = placed.place;
    return {
      layer,
      inLayer: (other) => (other === layer ? new LatentGroup(placed, null) : null),
      sampled: true,
    };
  }

  get raw(): ReadoutGroup {
    return new LatentActivations(this.placed, this.indices);
  }

  get weights(): WeightSource {
    return this.placed.dictionary.activation.kind === 'topk'
      ? extendWeights(this.chosen, [this.every])
      : this.chosen;
  }

  get fit(): Fit | undefined {
    const { dictionary, hash } = this.placed;
    if (dictionary.decoder === null || dictionary.size * dictionary.width > MOST_LOOKED_AT) return undefined;
    const all = new LatentActivations(this.placed, null);
    return {
      key: hash,
      size: dictionary.width + 3,
      weights: all.weights,
      values: (context) => all.fitValues(context),
      complaint: (mean) => complaintOf(mean, this.placed),
    };
  }

  only(indices: readonly number[]): LatentGroup {
    return new LatentGroup(
      this.placed,
      indices.map((index) => this.indexOf(index)),
    );
  }

  inWhole(index: number): Readout {
    return new LatentGroup(this.placed, null).unit(this.indexOf(index));
  }

  unit(index: number): Readout {
    return { name: this.placed.nameOf(this.indexOf(index)), group: this, index };
  }

  read(context: PassContext): tf.Tensor {
    return this.preActivations(context, this.chosen);
  }

  private indexOf(index: number): number {
    return this.indices?.[index] ?? index;
  }

  /** `[batch, pos, latent]` */
  protected preActivations(context: PassContext, arrays: LatentArrays): tf.Tensor {
    const products = this.products(context, arrays);
    return this.placed.dictionary.bias === null
      ? products
      : tf.add(products, context.weights(arrays.nameOf('bias')));
  }

  /** What the dictionary reads times the rows of its encoder. */
  protected products(context: PassContext, arrays: LatentArrays): tf.Tensor {
    const { width } = this.placed.dictionary;
    const x = this.input(context);
    const [batch, pos] = x.shape as [number, number, number];
    const flat = tf.reshape(x, [batch * pos, width]) as tf.Tensor2D;
    const rows = context.weights(arrays.nameOf('rows')) as tf.Tensor2D;
    return tf.reshape(tf.matMul(flat, rows, false, true), [batch, pos, rows.shape[0]]);
  }

  /** What the dictionary reads, normalized, `[batch, pos, width]`. */
  protected normed({ pass }: PassContext): tf.Tensor {
    const { place, dictionary } = this.placed;
    const at = pass.at(placeOf(place));
    const [batch, pos] = at.shape as [number, number];
    const x = tf.reshape(at, [batch, pos, dictionary.width]);
    const { normalization, centred, scale } = dictionary.input;
    return scaledBy(normalized(centred ? centredOf(x) : x, normalization), scale);
  }

  private input(context: PassContext): tf.Tensor {
    const x = this.normed(context);
    if (this.placed.dictionary.input.subtract === null) return x;
    return tf.sub(x, context.weights(this.chosen.nameOf('subtract')));
  }
}

export const placeOf = ({ layer, name }: LatentPlace): Place => `blocks.${layer}.${name}`;

const scaledBy = (x: tf.Tensor, factor: number): tf.Tensor => (factor === 1 ? x : tf.mul(x, factor));

/** Less its mean over the last axis. */
const centredOf = (x: tf.Tensor): tf.Tensor => tf.sub(x, tf.mean(x, -1, true));

/** Over the last axis, `[..., width]`. */
function normalized(x: tf.Tensor, kind: Dictionary['input']['normalization']): tf.Tensor {
  const width = x.shape.at(-1)!;
  if (kind === 'none') return x;
  if (kind === 'rescale') return tf.mul(x, tf.div(Math.sqrt(width), tf.sqrt(tf.sum(tf.square(x), -1, true))));
  const centred = centredOf(x);
  const deviation = tf.sqrt(tf.div(tf.sum(tf.square(centred), -1, true), width - 1));
  return tf.div(centred, tf.add(deviation, 1e-5));
}

/** The same latents as their dictionary has them. */
class LatentActivations extends LatentGroup {
  override get raw(): ReadoutGroup {
    return this;
  }

  override read(context: PassContext): tf.Tensor {
    const { activation } = this.placed.dictionary;
    const where = (x: tf.Tensor, is: tf.Tensor) => tf.mul(x, tf.cast(is, 'float32'));
    const array = (part: 'threshold' | 'gain' | 'magnitude' | 'bias') =>
      context.weights(this.chosen.nameOf(part));
    if (activation.kind === 'topk') return this.largest(context, activation);
    if (activation.kind === 'gated') {
      const products = this.products(context, this.chosen);
      const size = tf.add(tf.mul(products, array('gain')), array('magnitude'));
      return where(tf.relu(size), tf.greater(tf.add(products, array('bias')), 0));
    }
    const h = this.preActivations(context, this.chosen);
    return activation.kind === 'jump' ? where(tf.relu(h), tf.greater(h, array('threshold'))) : tf.relu(h);
  }

  /**
   * How well all latents together explain their input, at every position: the input, its square, the square of the residual,
   * and the number of active latents; `[batch, pos, width + 3]`.
   */
  fitValues(context: PassContext): tf.Tensor {
    const x = this.normed(context);
    const [batch, pos, width] = x.shape as [number, number, number];
    const latents = this.read(context);
    const flat = tf.reshape(latents, [batch * pos, this.size]) as tf.Tensor2D;
    const decoder = context.weights(this.chosen.nameOf('decoder')) as tf.Tensor2D;
    const explained = tf.add(
      tf.reshape(tf.matMul(flat, decoder), [batch, pos, width]),
      context.weights(this.chosen.nameOf('added')),
    );
    const squares = (y: tf.Tensor) => tf.sum(tf.square(y), -1, true);
    const active = tf.sum(tf.cast(tf.notEqual(latents, 0), 'float32'), -1, true);
    return tf.concat([x, squares(x), squares(tf.sub(x, explained)), active], -1);
  }

  /** Those among the k largest of all; the others are 0. */
  private largest(context: PassContext, { k, signed }: { k: number; signed: boolean }): tf.Tensor {
    const all = this.preActivations(context, this.every);
    const least = tf.slice(tf.topk(all, k).values, [0, 0, k - 1], [...all.shape.slice(0, 2), 1] as number[]);
    const h = this.indices === null ? all : tf.gather(all, tf.tensor1d([...this.indices], 'int32'), 2);
    return tf.mul(signed ? h : tf.relu(h), tf.cast(tf.greaterEqual(h, least), 'float32'));
  }
}

/** Elements of an encoder that is read whole to see whether the dictionary fits. */
const MOST_LOOKED_AT = 2e8;
/** Dictionaries that people publish leave a tenth to four tenths of the variance unexplained. */
const WORST_UNEXPLAINED = 0.9;

/**
 * How much a dictionary explains, and with how many latents.
 *
 * @param mean - over tokens, of what `fit.values` gives
 * @returns the share of the variance that is left unexplained, and active latents a token
 */
export function fitFigures(mean: Float32Array): { unexplained: number; active: number } {
  const width = mean.length - 3;
  const [square, left, active] = mean.subarray(width) as unknown as [number, number, number];
  const variance = square - mean.subarray(0, width).reduce((sum, x) => sum + x * x, 0);
  return { unexplained: left / variance, active };
}

function complaintOf(mean: Float32Array, { dictionary, place, path }: Placed): string | null {
  const { size } = dictionary;
  const { unexplained, active } = fitFigures(mean);
  if (unexplained < WORST_UNEXPLAINED && active > 0 && active < size / 2) return null;
  return (
    `${path} does not seem to belong to ${placeOf(place)} of this model: it leaves ${unexplained.toPrecision(2)} of the variance unexplained (FVU), ` +
    `with ${active.toPrecision(3)} of ${size} latents active at a token (L0); usual causes are another model or layer, the other side of a norm, or a missing BOS`
  );
}
