/** @file What vision transformers add to the operations of networks. Tokens are [batch, token, channel]. */
import type { Param } from './params.js';

/** Over the last axis: (x - mean) / sqrt(variance + epsilon) * scale + shift, each [channel]. */
export interface LayerNormOp {
  readonly kind: 'layer norm';
  readonly scale: Param;
  readonly shift?: Param;
  readonly epsilon: number;
}

/** A map [batch, height, width, channel] as tokens [batch, height * width, channel]. */
export interface ToTokensOp {
  readonly kind: 'to tokens';
}

/** Of tokens those after the first `prefix`, as a map of the size of a second input. */
export interface TokenMapOp {
  readonly kind: 'token map';
  readonly prefix: number;
}

/** One token, [batch, channel]. */
export interface TokenOp {
  readonly kind: 'token';
  readonly index: number;
}

/** Softmax attention among tokens; queries, keys and values [batch, token, channel], the heads side by side. */
export interface AttentionOp {
  readonly kind: 'attention';
  readonly heads: number;
}

/** What each head adds after the projection `kernel` [channel, out]: its L2 norm, [batch, token, head]. */
export interface HeadNormsOp {
  readonly kind: 'head norms';
  readonly heads: number;
  readonly kernel: Param;
}

export type TransformerOp = LayerNormOp | ToTokensOp | TokenMapOp | TokenOp | AttentionOp | HeadNormsOp;
