/** @file GPT-2. */
import type { ModuleNames } from '../spec.js';
import { basicSpec, family } from './family.js';
import { activation, commonKeys, flag, headCount, layerCount, length, positive, width } from './keys.js';

/** Keys that relatives of GPT-2 have too. */
export const gpt2Keys = {
  ...commonKeys,
  n_embd: width,
  n_head: headCount,
  n_layer: layerCount,
  n_inner: width.optional(),
  n_positions: length,
  layer_norm_epsilon: positive.default(1e-5),
  activation_function: activation.default('geluTanh'),
};

const keys = {
  ...gpt2Keys,
  scale_attn_weights: flag.default(true),
  scale_attn_by_inverse_layer_idx: flag.default(false),
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
  const basic = basicSpec(config, { layers, dModel, heads }, unsupported);
  return {
    ...basic,
    modules: gpt2Modules,
    dMlp: config.n_inner ?? 4 * dModel,
    context: config.n_positions,
    norm: { kind: 'layer', eps: config.layer_norm_epsilon },
    positions: { kind: 'learned', offset: 0 },
    attentionScale: config.scale_attn_weights ? basic.attentionScale : 1,
    scaledByDepth: config.scale_attn_by_inverse_layer_idx,
    biases: { qkv: true, output: true, mlp: true, unembedding: false },
    activation: config.activation_function,
  };
});
