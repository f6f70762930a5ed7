/** @file Mistral: Llama with a window in all layers. */
import { family } from './family.js';
import { llamaKeys, llamaSpec, windowsByType } from './llama.js';

export const mistral = family(llamaKeys, (config, unsupported) => ({
  ...llamaSpec({ ...config, attention_bias: false, mlp_bias: false }, unsupported),
  windows: windowsByType({ ...config, layer_types: undefined }, () => true),
}));
