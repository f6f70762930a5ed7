/** @file Llama, and what its many relatives share with it. */
import type { z } from 'zod';
import type { UserError } from '../../../core/errors.js';
import type { ModuleNames, TransformerSpec } from '../spec.js';
import {
  activation,
  commonKeys,
  family,
  flag,
  headCount,
  headSize,
  layerCount,
  layerTypes,
  length,
  plain,
  positive,
  specialTokens,
  vocabulary,
  width,
} from './family.js';
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
  vocab_size: vocabulary,
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

/** Llama's with norms behind attention and MLP, not before, and of queries and keys. */
export const postNormModules: ModuleNames = {
  ...llamaModules,
  layer: {
    ...bare,
    attentionPostNorm: 'post_attention_layernorm',
    mlpPostNorm: 'post_feedforward_layernorm',
    queryNorm: 'self_attn.q_norm',
    keyNorm: 'self_attn.k_norm',
  },
};

/** Without windows, with the biases that config.json names. */
export function llamaSpec(
  config: LlamaConfig,
  unsupported: (what: string) => UserError,
  fraction = 1,
): TransformerSpec {
  const { hidden_size: dModel, num_attention_heads: heads, num_hidden_layers: layers } = config;
  const dHead = config.head_dim ?? headSize(dModel, heads, unsupported);
  return {
    ...plain,
    family: config.model_type,
    modules: llamaModules,
    layers,
    dModel,
    heads,
    kvHeads: config.num_key_value_heads ?? heads,
    dHead,
    dMlp: config.intermediate_size,
    vocab: config.vocab_size,
    context: config.max_position_embeddings,
    norm: { kind: 'rms', eps: config.rms_norm_eps },
    positions: rotaryPositions(layers, rotary(config, { dHead, fraction }, unsupported)),
    attentionScale: 1 / Math.sqrt(dHead),
    windows: new Array(layers).fill(null),
    biases: {
      qkv: config.attention_bias,
      output: config.attention_bias,
      mlp: config.mlp_bias,
      unembedding: false,
    },
    activation: config.hidden_act,
    tiedEmbeddings: config.tie_word_embeddings,
    ...specialTokens(config),
  };
}

/** Windows as `layer_types` says; as `slides` says, where config.json has none. */
export function windowsByType(
  config: Pick<LlamaConfig, 'num_hidden_layers' | 'sliding_window' | 'layer_types'>,
  slides: (layer: number) => boolean,
): (number | null)[] {
  const window = config.sliding_window ?? null;
  return (
    config.layer_types?.map((type) => (type === 'sliding_attention' ? window : null)) ??
    Array.from({ length: config.num_hidden_layers }, (_, layer) => (slides(layer) ? window : null))
  );
}

export const llama = family(llamaKeys, (config, unsupported) => llamaSpec(config, unsupported));
