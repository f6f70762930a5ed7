/** @file StableLM: Llama with layer norms, some of them by head, and both halves of a layer in parallel if asked. */
import { family } from './family.js';
import { flag, positive } from './keys.js';
import { llamaKeys, llamaModules, llamaSpec } from './llama.js';

const keys = {
  ...llamaKeys,
  layer_norm_eps: positive.default(1e-5),
  partial_rotary_factor: positive.default(0.25),
  use_qkv_bias: flag.default(false),
  qk_layernorm: flag.default(false),
  use_parallel_residual: flag.default(false),
};

export const stablelm = family(keys, (config, unsupported) => {
  const { layer } = llamaModules;
  return {
    ...llamaSpec(config, unsupported),
    modules: {
      ...llamaModules,
      layer: {
        ...layer,
        mlpNorm: config.use_parallel_residual ? layer.attentionNorm! : layer.mlpNorm!,
        ...(config.qk_layernorm && { queryNorm: 'self_attn.q_layernorm', keyNorm: 'self_attn.k_layernorm' }),
      },
    },
    norm: { kind: 'layer', eps: config.layer_norm_eps },
    qkNorm: 'each head',
    biases: { qkv: config.use_qkv_bias, output: false, mlp: false, unembedding: false },
    parallelResidual: config.use_parallel_residual,
  };
});
