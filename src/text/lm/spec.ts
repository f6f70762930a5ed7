/** @file What a decoder-only transformer is: the numbers, choices and names that distinguish one from another. Plain data. */
import { UserError } from '../../core/errors.js';

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
    }
  | {
      /** A ramp over pairs instead (Peng et al. 2023); cosine and sine are multiplied by `magnitude`. */
      readonly kind: 'yarn';
      readonly factor: number;
      readonly betaFast: number;
      readonly betaSlow: number;
      /** Whether the ramp begins and ends at whole pairs. */
      readonly truncate: boolean;
      readonly originalContext: number;
      readonly magnitude: number;
    }
  | {
      /** Every pair is divided by a factor of its own (Phi-3): `factors` within the context of pre-training. */
      readonly kind: 'longrope';
      readonly factors: readonly number[];
      /** Those of texts that are longer; null where no text is. */
      readonly longFactors: readonly number[] | null;
      readonly originalContext: number;
      readonly magnitude: number;
    };

export interface Rotary {
  /** How many of a head's dimensions turn; even, at most dHead. */
  readonly dims: number;
  /** Which dimensions turn together: those of the two halves, or neighbours (GPT-J). */
  readonly pairs: 'halves' | 'neighbours';
  readonly theta: number;
  readonly scaling: RotaryScaling | null;
}

/** How a model knows the order of tokens. */
export type PositionEncoding =
  /** A table whose rows are added to the embeddings, from row `offset` on. */
  | { readonly kind: 'learned'; readonly offset: number }
  /** By layer; null where nothing turns. */
  | { readonly kind: 'rotary'; readonly layers: readonly (Rotary | null)[] }
  /** Scores fall with distance, by a slope a head (Press et al. 2021) times `scale`. */
  | { readonly kind: 'alibi'; readonly scale: number };

/** Names of a family's modules; a parameter is a module's `.weight` or `.bias`. What has no name is not there. */
export interface ModuleNames {
  /** In front of every name but the unembedding's; files of a model without its head lack it. */
  readonly prefix: string;
  readonly tokenEmbedding: string;
  readonly embeddingNorm?: string;
  readonly positionEmbedding?: string;
  readonly finalNorm?: string;
  readonly unembedding: string;
  /** In front of a layer's number. */
  readonly layers: string;
  readonly layer: LayerNames;
  /** Axes of a layer's matrices: y = x W for `in,out` (GPT-2's "Conv1D"), y = x W^T for `out,in`. */
  readonly matrices: 'in,out' | 'out,in';
}

export interface LayerNames {
  readonly attentionNorm?: string;
  readonly attention:
    | { readonly kind: 'separate'; readonly query: string; readonly key: string; readonly value: string }
    | {
        /**
         * One projection: all queries, all keys, all values (`part,head`), or by key-value head its queries, its key, its
         * value (`head,part`).
         */
        readonly kind: 'fused';
        readonly queryKeyValue: string;
        readonly order: 'part,head' | 'head,part';
      };
  /** Norms of queries and keys, before the rotation. */
  readonly queryNorm?: string;
  readonly keyNorm?: string;
  /** Scores of sinks, one a head. */
  readonly sinks?: string;
  readonly output: string;
  /** What attention writes passes it before the sum. */
  readonly attentionPostNorm?: string;
  /** The stream passes it after the sum. */
  readonly attentionSumNorm?: string;
  /** May be the attention's. */
  readonly mlpNorm?: string;
  /** A gated MLP multiplies activation(gate) with a second projection; `gateUp` is both in one. */
  readonly gate?: string;
  readonly gateUp?: string;
  readonly up?: string;
  readonly down: string;
  readonly mlpPostNorm?: string;
  readonly mlpSumNorm?: string;
}

/** Layers whose MLP is one of experts: a router chooses a few for each token. */
export interface ExpertsSpec {
  /** Which layers have them. */
  readonly layers: readonly boolean[];
  /** Experts of a layer. */
  readonly count: number;
  /** Experts that the router chooses for a token. */
  readonly chosen: number;
  /** Neurons of one expert. */
  readonly neurons: number;
  readonly router: string;
  /** In front of the arrays of all experts. */
  readonly module: string;
  readonly biases: boolean;
  /** The weights of the chosen sum to 1; else they are their shares of a softmax over all. */
  readonly sumToOne: boolean;
  /** Neurons are g sigmoid(slope g) (u + 1), the gate g at most `limit` and u within it (GPT-OSS). */
  readonly clamped: { readonly slope: number; readonly limit: number } | null;
}

/** A decoder-only transformer, without its parameters. Plain data. */
export interface TransformerSpec {
  /** `model_type` of config.json. */
  readonly family: string;
  readonly modules: ModuleNames;
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
  /** What differs for longer sequences, where something does (by-length.ts). */
  readonly longer?: Pick<TransformerSpec, 'context' | 'positions'>;
  readonly norm: {
    readonly kind: 'layer' | 'rms';
    readonly eps: number;
    /** Without weights. */
    readonly bare?: boolean;
  };
  /** Token embeddings are multiplied by this as they enter the stream. */
  readonly embeddingScale: number;
  readonly positions: PositionEncoding;
  /** What q k^T is multiplied by. */
  readonly attentionScale: number;
  /** Scores are divided by the layer's number too, counted from 1. */
  readonly scaledByDepth: boolean;
  /** Scores s become cap * tanh(s / cap), before the mask. */
  readonly attentionCap: number | null;
  /** By layer: how many positions back a query sees, itself included; null for all. */
  readonly windows: readonly (number | null)[];
  /** Queries and keys are normalized by head, with the same weights or with each head's own, or all heads at once. */
  readonly qkNorm: 'head' | 'each head' | 'all heads';
  readonly biases: {
    readonly qkv: boolean;
    readonly output: boolean;
    readonly mlp: boolean;
    readonly unembedding: boolean;
  };
  readonly experts: ExpertsSpec | null;
  /** The MLP reads the layer's input, not the stream after attention. */
  readonly parallelResidual: boolean;
  /** Attention and MLP add to what their norm made of the stream, not to the stream itself. */
  readonly sumOntoNormed: boolean;
  /** What attention and MLP add to the stream is multiplied by this. */
  readonly residualScale: number;
  readonly activation: Activation;
  /** Logits l are multiplied by `scale` and become cap * tanh(l / cap). */
  readonly logits: { readonly scale: number; readonly cap: number | null };
  /** The unembedding is the token embedding. */
  readonly tiedEmbeddings: boolean;
  readonly bos: number | null;
  readonly eos: readonly number[];
  /** What stands around every sequence; `context` counts what is left for the sequence. */
  readonly frame?: Frame;
}

/** Fixed tokens around every sequence: read, but neither searched nor counted. */
export interface Frame {
  /** At least one. The last is what stands at position 0 of sequences. */
  readonly before: readonly number[];
  /** Behind the last position of a sequence. */
  readonly after: readonly number[];
}

/** What stands before position 0. */
export const leadOf = ({ frame }: TransformerSpec): readonly number[] => frame?.before.slice(0, -1) ?? [];

/** What is read behind the last position. */
export const tailOf = ({ frame }: TransformerSpec): readonly number[] => frame?.after ?? [];

/** The context, as complaints about a text's length call it: all of it, and what of it is not the text's. */
export function contextPhrase({ context, frame }: TransformerSpec): string {
  const around = frame ? frame.before.length + frame.after.length : 1;
  return around === 1
    ? `context of ${context} tokens, one of which is BOS`
    : `context of ${context - 1 + around} tokens, ${around} of which stand around the text`;
}

/** The same model that reads nothing behind a sequence. */
export const withoutTail = (spec: TransformerSpec): TransformerSpec =>
  spec.frame
    ? { ...spec, context: spec.context + spec.frame.after.length, frame: { ...spec.frame, after: [] } }
    : spec;

/** What q k^T is multiplied by in a layer. */
export const attentionScale = (
  { attentionScale: scale, scaledByDepth }: TransformerSpec,
  layer: number,
): number => (scaledByDepth ? scale / (layer + 1) : scale);

/** The experts of a layer; null where it has none. */
export const expertsOf = ({ experts }: TransformerSpec, layer: number): ExpertsSpec | null =>
  experts?.layers[layer] ? experts : null;

/** Throws UserError, naming `where`, when the numbers cannot belong to one network. */
export function checkSpec(spec: TransformerSpec, where: string): void {
  const problem = impossibility(spec);
  if (problem) throw new UserError(`${where} is impossible: ${problem}`);
}

function impossibility(spec: TransformerSpec): string | null {
  const { heads, kvHeads, positions, dHead, windows, layers } = spec;
  if (heads % kvHeads !== 0) return `${heads} heads cannot share ${kvHeads} key-value heads evenly`;
  if (spec.logits.cap !== null && spec.biases.unembedding)
    return 'its logits have both a cap and a bias, which no known network has';
  if (positions.kind === 'rotary') {
    for (const rotary of new Set(positions.layers)) {
      if (rotary === null) continue;
      const { dims, scaling } = rotary;
      if (!Number.isInteger(dims) || dims % 2 !== 0 || dims < 2 || dims > dHead)
        return `${dims} of the ${dHead} dimensions of a head cannot turn in pairs`;
      if (scaling?.kind !== 'longrope') continue;
      for (const factors of [scaling.factors, scaling.longFactors ?? scaling.factors])
        if (factors.length !== dims / 2) return `its rotary positions need ${dims / 2} factors`;
    }
  }
  const { experts } = spec;
  if (experts && experts.chosen > experts.count)
    return `a token cannot pass ${experts.chosen} of ${experts.count} experts`;
  for (const described of [windows, positions.kind === 'rotary' ? positions.layers : windows])
    if (described.length !== layers)
      return `it describes the attention of ${described.length} layers but has ${layers} layers`;
  return null;
}
