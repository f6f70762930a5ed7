/** @file Qwen 2, 2.5 and 3: Llama with biases, or with normalized queries and keys. */
import { z } from 'zod';
import { family, flag } from './family.js';
import { type LlamaConfig, llamaKeys, llamaModules, llamaSpec, windowsByType } from './llama.js';

const wanted = 'a whole number';
const keys = {
  ...llamaKeys,
  use_sliding_window: flag.default(false),
  /** Layers of full attention, the first ones. */
  max_window_layers: z.int(wanted).min(0, wanted).default(28),
};

function windows(config: LlamaConfig & { use_sliding_window: boolean; max_window_layers: number }) {
  if (!config.use_sliding_window) return new Array(config.num_hidden_layers).fill(null);
  return windowsByType(config, (layer) => layer >= config.max_window_layers);
}

export const qwen2 = family(keys, (config, unsupported) => ({
  ...llamaSpec(config, unsupported),
  windows: windows(config),
  biases: { qkv: true, output: false, mlp: false, unembedding: false },
}));

export const qwen3 = family(keys, (config, unsupported) => ({
  ...llamaSpec({ ...config, mlp_bias: false }, unsupported),
  windows: windows(config),
  modules: {
    ...llamaModules,
    layer: { ...llamaModules.layer, queryNorm: 'self_attn.q_norm', keyNorm: 'self_attn.k_norm' },
  },
}));
