/**
 * @file What a unit is to the rest of the program: something that is read off a pass of the model. A kind of unit is
 * in the file of the part of the model that it reads, beside this one; `kinds.ts` has them all.
 *
 * Units are read in groups (all heads of a layer, all neurons of a layer), because one product serves them all.
 */
import type * as tf from '../../engine/functions/tfjs.js';
import type { WeightLookup, WeightSource } from '../../engine/weights/weights.js';
import type { Edits } from '../lm/reading.js';
import type { TransformerSpec } from '../lm/spec.js';
import type { Pass } from '../lm/transformer.js';
import type { GroupStatistics } from './group-statistics.js';

/** One unit: a column of its group. */
export interface Readout {
  /** `parseTextUnit` gives the unit back. */
  readonly name: string;
  readonly group: ReadoutGroup;
  readonly index: number;
}

/** A pass, and what it was made with. */
export interface PassContext {
  readonly spec: TransformerSpec;
  /** The model's weights, and those that a group brings. */
  readonly weights: WeightLookup;
  readonly pass: Pass;
}

/** Units that are read together. */
export interface ReadoutGroup {
  /** Equal for groups that measure the same; statistics are kept under it. */
  readonly key: string;
  /** Layers of the model that the measure needs. */
  readonly depth: number;
  /** How many units it has. */
  readonly size: number;
  /** Where the units have siblings: the layer they are in, and the same group of another layer. */
  readonly siblings?: Siblings;
  /** What is centred on its mean over calibration tokens before it is measured. */
  readonly centre?: Centre | undefined;
  /** What is reported as raw value, where it is not the measure itself. */
  readonly raw?: ReadoutGroup;
  /** What a unit does to the network behind it, where that is known. */
  readonly effect?: Effect;
  /** Where all units look, of units that do. */
  looks?(context: PassContext): Looks;
  /** Arrays that the measure reads beside the model's, under names that no other source has. */
  readonly weights?: WeightSource;
  /** Tells whether the group fits the model, where that can be told. */
  readonly fit?: Fit | undefined;
  /** The same group with some of its units alone, where reading all would cost too much. */
  only?(indices: readonly number[]): ReadoutGroup;
  /** A unit as one of the group that has all of them, of a group that `only` made. */
  inWhole?(index: number): Readout;
  /** The unit at an index. */
  unit(index: number): Readout;
  /**
   * The measure of each unit at every position.
   *
   * @param centre - mean of `centre`, where the group has one
   * @returns `[batch, pos, unit]`
   */
  read(context: PassContext, centre?: Float32Array): tf.Tensor;
}

/** Figures at every position, whose mean says whether a group fits the model that it is read from. */
export interface Fit {
  /** Equal for the same figures. */
  readonly key: string;
  readonly size: number;
  readonly weights: WeightSource;
  /** `[batch, pos, size]` */
  values(context: PassContext): tf.Tensor;
  /** What is odd about their mean, as a sentence; null where nothing is. */
  complaint(mean: Float32Array): string | null;
}

/** The arrays that groups bring beside the model's. */
export const broughtBy = (groups: readonly ReadoutGroup[]): WeightSource[] =>
  groups.flatMap(({ weights }) => weights ?? []);

export interface Siblings {
  readonly layer: number;
  /** Null where that layer has none. */
  inLayer(layer: number): ReadoutGroup | null;
  /** They are so many that a class of them is drawn. */
  readonly sampled?: boolean;
}

/** An activation whose mean is taken off before units are measured. */
export interface Centre {
  readonly size: number;
  /** `[batch, pos, size]` */
  read(pass: Pass): tf.Tensor;
}

/** What units do to the network behind them. */
export interface Effect {
  /** The group whose statistics say what the units do on average. */
  readonly usual: ReadoutGroup;
  /**
   * What a unit adds to the stream; of heads, less what it adds on average.
   *
   * @returns `[1, rows, dModel]`
   */
  written(context: PassContext, index: number, usual: GroupStatistics): tf.Tensor;
  /**
   * What one unit of each sequence adds to the stream, of heads less what it adds on average.
   *
   * @param own - 1 at each sequence's unit, else 0; `[batch, unit]`
   * @returns `[1, rows, dModel]`
   */
  writtenByEach(context: PassContext, own: tf.Tensor, usual: GroupStatistics): tf.Tensor;
  /** The change to the network after which the unit does everywhere what it does on average. */
  ablation(index: number, usual: GroupStatistics): Edits;
  /**
   * Where a unit looks.
   *
   * @param from - 1 at the position that looks, else 0; `[1, pos]`
   * @returns `attention` and `contribution` to what it adds, L2 norm; `[pos]`
   */
  sources?(context: PassContext, index: number, from: tf.Tensor2D): SourcesRead;
}

/** Where units look: their patterns, and the norm of what a position brings to one that looks at it alone. */
export interface Looks {
  /** `[batch, unit, qPos, kPos]` */
  readonly pattern: tf.Tensor;
  /** `[batch, unit, kPos]` */
  readonly brought: tf.Tensor;
}

export type SourcesRead = Readonly<Record<'attention' | 'contribution', tf.Tensor>>;
