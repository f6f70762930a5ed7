/** @file Mistral: Llama without biases, with a window in all layers. */
import type { TransformerSpec } from '../spec.js';
import { family, type Unsupported, withDefaults } from './family.js';
import { type LlamaConfig, llamaKeys, llamaSpec, windowEverywhere } from './llama.js';

export const mistralSpec = (config: LlamaConfig, unsupported: Unsupported): TransformerSpec => ({
  ...llamaSpec({ ...config, attention_bias: false, mlp_bias: false }, unsupported),
  windows: windowEverywhere(config),
});

export const mistral = withDefaults(family(llamaKeys, mistralSpec), { sliding_window: 4096 });
