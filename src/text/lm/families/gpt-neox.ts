/** @file GPT-NeoX and Pythia. */
import type { ModuleNames } from '../spec.js';
import { basicSpec, family } from './family.js';
import { activation, commonKeys, flag, headCount, layerCount, positive, width } from './keys.js';
import { ropeKeys, rotary, rotaryPositions } from './rope.js';

const keys = {
  ...commonKeys,
  ...ropeKeys,
  hidden_size: width,
  num_attention_heads: headCount,
  num_hidden_layers: layerCount,
  intermediate_size: width,
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
  const basic = basicSpec(config, { layers, dModel, heads }, unsupported);
  const rope = { ...config, rope_theta: config.rope_theta ?? config.rotary_emb_base };
  const turning = rotary(rope, { dHead: basic.dHead, fraction: config.rotary_pct }, unsupported);
  return {
    ...basic,
    modules,
    dMlp: config.intermediate_size,
    context: config.max_position_embeddings,
    norm: { kind: 'layer', eps: config.layer_norm_eps },
    positions: rotaryPositions(layers, turning),
    biases: { qkv: config.attention_bias, output: config.attention_bias, mlp: true, unembedding: false },
    parallelResidual: config.use_parallel_residual,
    activation: config.hidden_act,
  };
});
