/** @file What a decoder-only transformer is: the numbers and choices that tell one family from another. */
import { UserError } from '../../core/errors.js';

export type Family = 'gpt2' | 'gpt_neo' | 'gpt_neox' | 'llama' | 'mistral' | 'qwen2' | 'qwen3';

export type Activation = 'gelu' | 'geluTanh' | 'silu' | 'relu';

/** Stretching of rotary frequencies beyond the context of pre-training. */
export type RotaryScaling =
  | { readonly kind: 'linear'; readonly factor: number }
  | {
      /** Low frequencies divided by `factor`, high ones kept, a ramp between (Llama 3.1). */
      readonly kind: 'llama3';
      readonly factor: number;
      readonly lowFreqFactor: number;
      readonly highFreqFactor: number;
      readonly originalContext: number;
    };

export type Positions =
  | { readonly kind: 'learned' }
  | {
      readonly kind: 'rotary';
      /** How many of a head's dimensions turn; even, at most dHead. */
      readonly dims: number;
      readonly theta: number;
      readonly scaling: RotaryScaling | null;
    };

/** A decoder-only transformer, without its parameters. Plain data. */
export interface TransformerSpec {
  /** Decides how parameters are named and laid out. */
  readonly family: Family;
  readonly layers: number;
  readonly dModel: number;
  /** Query heads: what a unit name means by a head. */
  readonly heads: number;
  /** Key and value heads; query head h reads number floor(h * kvHeads / heads). */
  readonly kvHeads: number;
  readonly dHead: number;
  readonly dMlp: number;
  readonly vocab: number;
  /** The longest sequence, BOS included. */
  readonly context: number;
  readonly norm: { readonly kind: 'layer' | 'rms'; readonly eps: number };
  readonly positions: Positions;
  /** What q k^T is multiplied by. */
  readonly attentionScale: number;
  /** By layer: how many positions back a query sees, itself included; null for all. */
  readonly windows: readonly (number | null)[];
  readonly biases: { readonly qkv: boolean; readonly output: boolean; readonly mlp: boolean };
  /** Queries and keys are normalized by head, before the rotation. */
  readonly qkNorm: boolean;
  /** The MLP reads the layer's input, not the stream after attention. */
  readonly parallelResidual: boolean;
  readonly activation: Activation;
  /** The MLP multiplies activation(gate) with a second projection. */
  readonly gated: boolean;
  /** The unembedding is the token embedding. */
  readonly tiedEmbeddings: boolean;
  readonly bos: number | null;
  readonly eos: readonly number[];
}

/** Throws UserError, naming `where`, when the numbers cannot belong to one network. */
export function checkSpec(spec: TransformerSpec, where: string): void {
  const problem = impossibility(spec);
  if (problem) throw new UserError(`${where} is impossible: ${problem}`);
}

function impossibility(spec: TransformerSpec): string | null {
  const { heads, kvHeads, positions, dHead, windows, layers, vocab } = spec;
  if (heads % kvHeads !== 0) return `${heads} heads cannot share ${kvHeads} key-value heads evenly`;
  if (positions.kind === 'rotary') {
    const { dims } = positions;
    if (!Number.isInteger(dims) || dims % 2 !== 0 || dims < 2 || dims > dHead)
      return `${dims} of the ${dHead} dimensions of a head cannot turn in pairs`;
  }
  if (windows.length !== layers)
    return `it describes the attention of ${windows.length} layers but has ${layers} layers`;
  const outside = [spec.bos, ...spec.eos].find((id) => id !== null && (id < 0 || id >= vocab));
  if (outside !== undefined) return `the special token ${outside} is outside the vocabulary of ${vocab}`;
  return null;
}
