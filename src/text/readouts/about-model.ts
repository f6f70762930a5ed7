/** @file What a language model is, from its configuration and the headers of its files: no weight is read. */
import { UserError } from '../../core/errors.js';
import type { WeightSource } from '../../engine/weights/weights.js';
import { expertsOf, type TransformerSpec } from '../lm/spec.js';
import type { Tokenizer } from '../lm/tokenizer.js';

export interface ModelAbout {
  sizes: {
    layers: number;
    heads: number;
    /** Heads of keys and values; fewer than `heads` where several share one. */
    key_value_heads: number;
    d_model: number;
    d_head: number;
    d_mlp: number;
    vocabulary: number;
    parameters: number;
    /** Of the weights in memory. */
    bytes: number;
    /** Numbers of each precision in which weights are kept: `float32`, `float16`, `bfloat16`. */
    precision: Record<string, number>;
  };
  positions: {
    kind: 'learned' | 'rotary' | 'alibi';
    /** Tokens that the model reads at once. */
    context: number;
    /** Of rotary positions, the different bases and scalings of its layers; layers without count as `none`. */
    rotary: { theta: number; dims: number; scaling: string | null; layers: number }[];
    layers_without: number;
  };
  /** How far back layers look, where that is limited. */
  windows: { tokens: number; layers: number }[];
  /** What a text starts with unless `--bos` or `--prefix` says otherwise, and why that; null where there is nothing. */
  bos: { token: string; token_id: number; why: string } | null;
  chat_template: boolean;
  experts: { count: number; chosen: number; neurons: number; layers: number } | null;
  /** What cannot be done with it, one sentence each, with the reason. */
  unsupported: string[];
}

export interface AboutOptions {
  readonly spec: TransformerSpec;
  readonly weights: WeightSource;
  /** The tokenizer, or why there is none. */
  readonly tokenizer: Tokenizer | UserError;
}

export function aboutModel({ spec, weights, tokenizer: found }: AboutOptions): ModelAbout {
  const tokenizer = found instanceof UserError ? null : found;
  const bos = tokenizer && bosOf(spec, tokenizer);
  return {
    sizes: sizesOf(spec, weights),
    positions: positionsOf(spec),
    windows: counted(spec.windows.filter((window) => window !== null)).map(([tokens, layers]) => ({
      tokens,
      layers,
    })),
    bos,
    chat_template: tokenizer?.hasChatTemplate ?? false,
    experts: expertsSummary(spec),
    unsupported: [
      ...(found instanceof UserError ? [`texts: ${found.message}`] : []),
      ...(tokenizer && !bos
        ? ['texts without a prefix: the model names neither a BOS nor an EOS token to start them with']
        : []),
      ...(spec.longer
        ? [
            `searches for texts of more than ${spec.context} tokens: beyond them all tokens of a text turn by other factors (longrope); score, and a prefix that is longer itself, have up to ${spec.longer.context}`,
          ]
        : []),
      ...(expertsSummary(spec)?.layers === spec.layers
        ? ['L0.N0: all MLPs are mixtures of experts, whose neurons are L0.E0.N0']
        : []),
    ],
  };
}

function sizesOf(spec: TransformerSpec, { names, shape, halves }: WeightSource): ModelAbout['sizes'] {
  const precision: Record<string, number> = {};
  for (const name of new Set(names)) {
    const type = halves?.type(name) ?? 'float32';
    const count = shape(name).reduce((product, size) => product * size, 1);
    precision[type] = (precision[type] ?? 0) + count;
  }
  const all = Object.entries(precision);
  return {
    layers: spec.layers,
    heads: spec.heads,
    key_value_heads: spec.kvHeads,
    d_model: spec.dModel,
    d_head: spec.dHead,
    d_mlp: spec.dMlp,
    vocabulary: spec.vocab,
    parameters: all.reduce((sum, [, count]) => sum + count, 0),
    bytes: all.reduce((sum, [type, count]) => sum + count * (type === 'float32' ? 4 : 2), 0),
    precision,
  };
}

function positionsOf({ positions, context }: TransformerSpec): ModelAbout['positions'] {
  if (positions.kind !== 'rotary') return { kind: positions.kind, context, rotary: [], layers_without: 0 };
  const described = positions.layers.flatMap((rotary) =>
    rotary === null ? [] : [JSON.stringify([rotary.theta, rotary.dims, rotary.scaling?.kind ?? null])],
  );
  return {
    kind: 'rotary',
    context,
    rotary: counted(described).map(([text, layers]) => {
      const [theta, dims, scaling] = JSON.parse(text) as [number, number, string | null];
      return { theta, dims, scaling, layers };
    }),
    layers_without: positions.layers.length - described.length,
  };
}

function bosOf(spec: TransformerSpec, tokenizer: Tokenizer): ModelAbout['bos'] {
  const { bos } = tokenizer;
  if (bos === null) return null;
  const why = tokenizer.namesBos
    ? 'the tokenizer names it BOS'
    : bos === spec.bos
      ? 'config.json names it BOS'
      : 'it ends texts, and neither the tokenizer nor config.json names a BOS';
  return { token: tokenizer.tokenString(bos), token_id: bos, why };
}

function expertsSummary(spec: TransformerSpec): ModelAbout['experts'] {
  const layers = Array.from({ length: spec.layers }, (_, layer) => expertsOf(spec, layer) !== null);
  const count = layers.filter(Boolean).length;
  if (count === 0 || !spec.experts) return null;
  return {
    count: spec.experts.count,
    chosen: spec.experts.chosen,
    neurons: spec.experts.neurons,
    layers: count,
  };
}

/** Different values and how often each occurs. */
function counted<T>(values: readonly T[]): [T, number][] {
  const counts = new Map<T, number>();
  for (const value of values) counts.set(value, (counts.get(value) ?? 0) + 1);
  return [...counts];
}
