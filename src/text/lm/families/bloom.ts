/** @file BLOOM: ALiBi, and a norm on the embeddings. */
import type { ModuleNames } from '../spec.js';
import { basicSpec, family, withOtherKeys } from './family.js';
import { commonKeys, flag, headCount, layerCount, length, positive, width } from './keys.js';

const keys = {
  ...commonKeys,
  hidden_size: width,
  n_head: headCount.default(8),
  n_layer: layerCount.default(2),
  seq_length: length.default(2048),
  layer_norm_epsilon: positive.default(1e-5),
  apply_residual_connection_post_layernorm: flag.default(false),
};

const modules: ModuleNames = {
  prefix: 'transformer.',
  tokenEmbedding: 'word_embeddings',
  embeddingNorm: 'word_embeddings_layernorm',
  finalNorm: 'ln_f',
  unembedding: 'lm_head',
  layers: 'h',
  layer: {
    attentionNorm: 'input_layernorm',
    attention: { kind: 'fused', queryKeyValue: 'self_attention.query_key_value', order: 'head,part' },
    output: 'self_attention.dense',
    mlpNorm: 'post_attention_layernorm',
    up: 'mlp.dense_h_to_4h',
    down: 'mlp.dense_4h_to_h',
  },
  matrices: 'out,in',
};

const read = family(keys, (config, unsupported) => {
  const { hidden_size: dModel, n_head: heads, n_layer: layers } = config;
  const basic = basicSpec(config, { layers, dModel, heads }, unsupported);
  return {
    ...basic,
    modules,
    dMlp: 4 * dModel,
    context: config.seq_length,
    norm: { kind: 'layer', eps: config.layer_norm_epsilon },
    positions: { kind: 'alibi', scale: 1 },
    biases: { qkv: true, output: true, mlp: true, unembedding: false },
    sumOntoNormed: config.apply_residual_connection_post_layernorm,
    activation: 'geluTanh',
  };
});

/** Published folders have these names too. */
export const bloom = withOtherKeys(read, {
  n_embed: 'hidden_size',
  num_attention_heads: 'n_head',
  num_hidden_layers: 'n_layer',
});
