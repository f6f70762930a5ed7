/** @file GPT-2. */
import type { ModuleNames } from '../spec.js';
import {
  activation,
  commonKeys,
  family,
  flag,
  headCount,
  headSize,
  layerCount,
  length,
  plain,
  positive,
  specialTokens,
  vocabulary,
  width,
} from './family.js';

const keys = {
  ...commonKeys,
  n_embd: width,
  n_head: headCount,
  n_layer: layerCount,
  n_inner: width.optional(),
  n_positions: length,
  vocab_size: vocabulary,
  layer_norm_epsilon: positive.default(1e-5),
  activation_function: activation.default('geluTanh'),
  scale_attn_weights: flag.default(true),
  scale_attn_by_inverse_layer_idx: flag.default(false),
  tie_word_embeddings: flag.default(true),
};

export const gpt2Modules: ModuleNames = {
  prefix: 'transformer.',
  tokenEmbedding: 'wte',
  positionEmbedding: 'wpe',
  finalNorm: 'ln_f',
  unembedding: 'lm_head',
  layers: 'h',
  layer: {
    attentionNorm: 'ln_1',
    attention: { kind: 'fused', queryKeyValue: 'attn.c_attn', order: 'part,head' },
    output: 'attn.c_proj',
    mlpNorm: 'ln_2',
    up: 'mlp.c_fc',
    down: 'mlp.c_proj',
  },
  matrices: 'in,out',
};

export const gpt2 = family(keys, (config, unsupported) => {
  const { n_embd: dModel, n_head: heads, n_layer: layers } = config;
  const dHead = headSize(dModel, heads, unsupported);
  return {
    ...plain,
    family: config.model_type,
    modules: gpt2Modules,
    layers,
    dModel,
    heads,
    kvHeads: heads,
    dHead,
    dMlp: config.n_inner ?? 4 * dModel,
    vocab: config.vocab_size,
    context: config.n_positions,
    norm: { kind: 'layer', eps: config.layer_norm_epsilon },
    positions: { kind: 'learned', offset: 0 },
    attentionScale: config.scale_attn_weights ? 1 / Math.sqrt(dHead) : 1,
    scaledByDepth: config.scale_attn_by_inverse_layer_idx,
    windows: new Array(layers).fill(null),
    biases: { qkv: true, output: true, mlp: true, unembedding: false },
    activation: config.activation_function,
    tiedEmbeddings: config.tie_word_embeddings,
    ...specialTokens(config),
  };
});
