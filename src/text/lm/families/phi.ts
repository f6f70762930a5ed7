/** @file Phi 1, 1.5 and 2: attention and a plain MLP in parallel behind one norm, biases everywhere. */
import { family } from './family.js';
import { activation, flag, positive } from './keys.js';
import { llamaKeys, llamaModules, llamaSpec } from './llama.js';

const keys = {
  ...llamaKeys,
  layer_norm_eps: positive.default(1e-5),
  partial_rotary_factor: positive.default(0.5),
  hidden_act: activation.default('geluTanh'),
  qk_layernorm: flag.default(false),
};

export const phi = family(keys, (config, unsupported) => ({
  ...llamaSpec(config, unsupported),
  modules: {
    ...llamaModules,
    finalNorm: 'final_layernorm',
    layer: {
      attentionNorm: 'input_layernorm',
      attention: llamaModules.layer.attention,
      ...(config.qk_layernorm && { queryNorm: 'self_attn.q_layernorm', keyNorm: 'self_attn.k_layernorm' }),
      output: 'self_attn.dense',
      mlpNorm: 'input_layernorm',
      up: 'mlp.fc1',
      down: 'mlp.fc2',
    },
  },
  norm: { kind: 'layer', eps: config.layer_norm_eps },
  biases: { qkv: true, output: true, mlp: true, unembedding: true },
  parallelResidual: true,
}));
