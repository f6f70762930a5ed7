/** @file StarCoder 2: Llama with layer norms, biases and a plain MLP. */
import { family } from './family.js';
import { activation, flag, positive } from './keys.js';
import { llamaKeys, llamaModules, llamaSpec, windowEverywhere } from './llama.js';

const keys = {
  ...llamaKeys,
  norm_epsilon: positive.default(1e-5),
  use_bias: flag.default(true),
  hidden_act: activation.default('geluTanh'),
  tie_word_embeddings: flag.default(true),
};
const { gate: _, ...layer } = llamaModules.layer;

export const starcoder2 = family(keys, (config, unsupported) => {
  const bias = config.use_bias;
  return {
    ...llamaSpec(config, unsupported),
    norm: { kind: 'layer', eps: config.norm_epsilon },
    biases: { qkv: bias, output: bias, mlp: bias, unembedding: false },
    windows: windowEverywhere(config),
    modules: { ...llamaModules, layer: { ...layer, up: 'mlp.c_fc', down: 'mlp.c_proj' } },
  };
});
