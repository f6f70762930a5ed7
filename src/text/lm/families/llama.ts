/** @file Llama, and what its many relatives share with it. */
import type { z } from 'zod';
import type { ModuleNames, TransformerSpec } from '../spec.js';
import { basicSpec, family, type Unsupported } from './family.js';
import {
  activation,
  commonKeys,
  flag,
  headCount,
  layerCount,
  layerTypes,
  length,
  positive,
  width,
} from './keys.js';
import { ropeKeys, rotary, rotaryPositions } from './rope.js';

export const llamaKeys = {
  ...commonKeys,
  ...ropeKeys,
  hidden_size: width,
  num_attention_heads: headCount,
  num_key_value_heads: headCount.optional(),
  head_dim: width.optional(),
  num_hidden_layers: layerCount,
  intermediate_size: width,
  rms_norm_eps: positive.default(1e-6),
  hidden_act: activation.default('silu'),
  attention_bias: flag.default(false),
  mlp_bias: flag.default(false),
  tie_word_embeddings: flag.default(false),
  sliding_window: length.optional(),
  layer_types: layerTypes.optional(),
};
export type LlamaConfig = z.output<z.ZodObject<typeof llamaKeys>>;

export const llamaModules: ModuleNames = {
  prefix: 'model.',
  tokenEmbedding: 'embed_tokens',
  finalNorm: 'norm',
  unembedding: 'lm_head',
  layers: 'layers',
  layer: {
    attentionNorm: 'input_layernorm',
    attention: {
      kind: 'separate',
      query: 'self_attn.q_proj',
      key: 'self_attn.k_proj',
      value: 'self_attn.v_proj',
    },
    output: 'self_attn.o_proj',
    mlpNorm: 'post_attention_layernorm',
    gate: 'mlp.gate_proj',
    up: 'mlp.up_proj',
    down: 'mlp.down_proj',
  },
  matrices: 'out,in',
};

const { attentionNorm: _attention, mlpNorm: _mlp, ...bare } = llamaModules.layer;

/** Norms of queries and keys. */
export const headNorms = { queryNorm: 'self_attn.q_norm', keyNorm: 'self_attn.k_norm' };

/** Llama's with norms behind attention and MLP, not before, and of queries and keys. */
export const postNormModules: ModuleNames = {
  ...llamaModules,
  layer: {
    ...bare,
    attentionPostNorm: 'post_attention_layernorm',
    mlpPostNorm: 'post_feedforward_layernorm',
    ...headNorms,
  },
};

/** Without windows, with the biases that config.json names. */
export function llamaSpec(config: LlamaConfig, unsupported: Unsupported): TransformerSpec {
  const { hidden_size: dModel, num_attention_heads: heads, num_hidden_layers: layers } = config;
  const basic = basicSpec(config, { layers, dModel, heads, dHead: config.head_dim }, unsupported);
  return {
    ...basic,
    modules: llamaModules,
    kvHeads: config.num_key_value_heads ?? heads,
    dMlp: config.intermediate_size,
    context: config.max_position_embeddings,
    norm: { kind: 'rms', eps: config.rms_norm_eps },
    positions: rotaryPositions(layers, rotary(config, basic, unsupported)),
    biases: {
      qkv: config.attention_bias,
      output: config.attention_bias,
      mlp: config.mlp_bias,
      unembedding: false,
    },
    activation: config.hidden_act,
  };
}

/** The same window in all layers. */
export const windowEverywhere = ({ num_hidden_layers, sliding_window }: LlamaConfig): (number | null)[] =>
  new Array(num_hidden_layers).fill(sliding_window ?? null);

/** Windows as `layer_types` says; as `slides` says, where config.json has none. */
export function windowsByType(config: LlamaConfig, slides: (layer: number) => boolean): (number | null)[] {
  const window = config.sliding_window ?? null;
  return (
    config.layer_types?.map((type) => (type === 'sliding_attention' ? window : null)) ??
    Array.from({ length: config.num_hidden_layers }, (_, layer) => (slides(layer) ? window : null))
  );
}

export const llama = family(llamaKeys, (config, unsupported) => llamaSpec(config, unsupported));
