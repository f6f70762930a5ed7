/** @file What a kind of unit says of itself, and what kinds share. */
import { UsageError } from '../../core/errors.js';
import type { UnitForm } from '../../core/unit-form.js';
import * as tf from '../../engine/functions/tfjs.js';
import type { TransformerSpec } from '../lm/spec.js';
import type { MeasureChoice } from './head-measures.js';
import type { PassContext, Readout, ReadoutGroup } from './readout.js';

/** What a unit's name is looked up in. */
export interface UnitContext {
  readonly spec: TransformerSpec;
  /** What about a head is measured. */
  readonly measure: MeasureChoice;
  /** Id of the single token that a text is, or null. */
  tokenId(text: string): number | null;
}

/** Where a unit stands for programs that number units: its layer, null where it has none, and its number there. */
export interface Numbered {
  readonly layer: number | null;
  readonly index: number;
}

/** A kind of unit. */
export interface Kind<U> {
  readonly form: UnitForm<U>;
  /** Which units of this kind a model has, for people: `heads L0.H0 to L4.H7`; null where it has none. */
  range(spec: TransformerSpec): string | null;
  /** Throws UsageError when the model has no such unit. Files and tokens are not looked up. */
  check(unit: U, spec: TransformerSpec): void;
  /** All units of this kind that the model has; those that exist by their name alone are none. */
  groups(context: UnitContext): readonly ReadoutGroup[];
  /**
   * How the unit is read.
   *
   * @throws UsageError for a token text that is not one token or a vector of another shape, UserError for a file that is
   *   not there
   */
  open(unit: U, context: UnitContext): Readout;
  /** Names of units of a model in that folder, for its list of units, beside heads, neurons and experts by layer. */
  others?(spec: TransformerSpec, folder: string): readonly string[];
  /** Files and folders of this machine that a name may mean. */
  files?(unit: U): readonly string[];
  numbered?(unit: U): Numbered;
}

/** Throws UsageError when an index is not one of the model's. @param name - the unit's @param what - in the plural */
export function checkRange(name: string, what: string, index: number, count: number): void {
  if (index < count) return;
  throw new UsageError(`${name} is outside this model: its ${what} are numbered 0 to ${count - 1}`);
}

/** `L0.H0 to L4.H7` */
export function layerRange({ layers }: TransformerSpec, letter: string, count: number): string {
  return `L0.${letter}0 to L${layers - 1}.${letter}${count - 1}`;
}

/** An activation with unit `index` (along axis 2) put to its mean. @param mean - broadcasts from axis 2 on */
export function withMean(activation: tf.Tensor, index: number, mean: tf.Tensor): tf.Tensor {
  const units = activation.shape[2]!;
  const shape = [units, ...activation.shape.slice(3).map(() => 1)];
  const chosen = tf.reshape(tf.oneHot(tf.tensor1d([index], 'int32'), units), shape);
  return tf.add(tf.mul(activation, tf.sub(1, chosen)), tf.mul(mean, chosen));
}

/** What an MLP's units write, `[1, rows, dModel]`, times the scale of the norm that it passes, where there is one. */
export function behindMlpNorm({ spec, pass }: PassContext, layer: number, written: tf.Tensor): tf.Tensor {
  if (!spec.modules.layer.mlpPostNorm) return written;
  return tf.mul(written, tf.reshape(pass.at(`blocks.${layer}.mlp.post_scale`), [1, -1, 1]));
}
