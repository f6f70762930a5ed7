/** @file What the parts of a transformer share while it reads. */
import type * as tf from '../../engine/functions/tfjs.js';
import type { WeightLookup } from '../../engine/weights/weights.js';
import type { Positions } from './positions.js';
import type { TransformerSpec } from './spec.js';

export type Lazy<T> = () => T;

/** Keys (rotated) and values of past tokens, one tensor a layer, `[batch, kvHead, capacity, dHead]`. */
export interface KeyValueCache {
  readonly keys: readonly tf.Tensor[];
  readonly values: readonly tf.Tensor[];
}

/**
 * Changes to what a layer computes, by place: the function gets the activation and gives what is to stand there
 * (`run_with_hooks` of TransformerLens). Of `blocks.L.attn.hook_z` and `blocks.L.mlp.hook_post`; in layers of experts, of
 * `blocks.L.mlp.hook_shares` and `blocks.L.mlp.experts.E.hook_weighted`, the expert's neurons times its share.
 */
export type Edits = Readonly<Record<string, (activation: tf.Tensor) => tf.Tensor>>;

/** Projections of the tokens being read: q `[batch, head, pos, dHead]`, k and v `[batch, kvHead, pos, dHead]`. */
export type Projected = Record<'q' | 'k' | 'v', tf.Tensor>;

/** `[batch, kvHead, kPos, dHead]` each. */
export type KeysAndValues = Readonly<Record<'k' | 'v', tf.Tensor>>;

/** What they look at. */
export interface Memory extends KeysAndValues {
  /** What they see of it, `[batch, head, qPos, kPos]`, and get of it, `[batch, head, pos, dHead]`, where known already. */
  readonly pattern?: Lazy<tf.Tensor>;
  readonly z?: Lazy<tf.Tensor>;
}

/** What all layers of one run share. */
export interface Reading {
  readonly spec: TransformerSpec;
  readonly weights: WeightLookup;
  readonly batch: number;
  readonly pos: number;
  readonly positions: Positions;
  /** What the tokens being read look at, given what they are themselves. */
  readonly remember: (layer: number, own: Projected) => Memory;
  readonly edits: Edits;
}
