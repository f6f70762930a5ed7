/** @file GPT-NeoX and Pythia. */
import type { ModuleNames } from '../spec.js';
import {
  activation,
  commonKeys,
  family,
  flag,
  headCount,
  headSize,
  layerCount,
  plain,
  positive,
  specialTokens,
  vocabulary,
  width,
} from './family.js';
import { ropeKeys, rotary, rotaryPositions } from './rope.js';

const keys = {
  ...commonKeys,
  ...ropeKeys,
  hidden_size: width,
  num_attention_heads: headCount,
  num_hidden_layers: layerCount,
  intermediate_size: width,
  vocab_size: vocabulary,
  layer_norm_eps: positive.default(1e-5),
  rotary_pct: positive.default(0.25),
  rotary_emb_base: positive.optional(),
  attention_bias: flag.default(true),
  use_parallel_residual: flag.default(true),
  hidden_act: activation.default('gelu'),
  tie_word_embeddings: flag.default(false),
};

const modules: ModuleNames = {
  prefix: 'gpt_neox.',
  tokenEmbedding: 'embed_in',
  finalNorm: 'final_layer_norm',
  unembedding: 'embed_out',
  layers: 'layers',
  layer: {
    attentionNorm: 'input_layernorm',
    attention: { kind: 'fused', queryKeyValue: 'attention.query_key_value', order: 'head,part' },
    output: 'attention.dense',
    mlpNorm: 'post_attention_layernorm',
    up: 'mlp.dense_h_to_4h',
    down: 'mlp.dense_4h_to_h',
  },
  matrices: 'out,in',
};

export const gptNeox = family(keys, (config, unsupported) => {
  const { hidden_size: dModel, num_attention_heads: heads, num_hidden_layers: layers } = config;
  const dHead = headSize(dModel, heads, unsupported);
  const rope = { ...config, rope_theta: config.rope_theta ?? config.rotary_emb_base };
  const turning = rotary(rope, { dHead, fraction: config.rotary_pct }, unsupported);
  return {
    ...plain,
    family: config.model_type,
    modules,
    layers,
    dModel,
    heads,
    kvHeads: heads,
    dHead,
    dMlp: config.intermediate_size,
    vocab: config.vocab_size,
    context: config.max_position_embeddings,
    norm: { kind: 'layer', eps: config.layer_norm_eps },
    positions: rotaryPositions(layers, turning),
    attentionScale: 1 / Math.sqrt(dHead),
    windows: new Array(layers).fill(null),
    biases: { qkv: config.attention_bias, output: config.attention_bias, mlp: true, unembedding: false },
    parallelResidual: config.use_parallel_residual,
    activation: config.hidden_act,
    tiedEmbeddings: config.tie_word_embeddings,
    ...specialTokens(config),
  };
});
