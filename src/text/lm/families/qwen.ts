/** @file Qwen 2, 2.5 and 3: Llama with biases, or with normalized queries and keys. */
import { z } from 'zod';
import type { TransformerSpec } from '../spec.js';
import { type Family, family, type Unsupported, withOtherKeys } from './family.js';
import { flag, headCount, layerCount, width } from './keys.js';
import {
  headNorms,
  type LlamaConfig,
  llamaKeys,
  llamaModules,
  llamaSpec,
  windowEverywhere,
  windowsByType,
} from './llama.js';
import { separateExperts } from './stored-experts.js';

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

type QwenConfig = z.output<z.ZodObject<typeof keys>>;

const qwen3Spec = (config: QwenConfig, unsupported: Unsupported): TransformerSpec => ({
  ...llamaSpec({ ...config, mlp_bias: false }, unsupported),
  windows: windows(config),
  modules: {
    ...llamaModules,
    layer: { ...llamaModules.layer, ...headNorms },
  },
});

export const qwen3 = family(keys, qwen3Spec);

const moeKeys = {
  ...keys,
  num_experts: headCount.default(128),
  num_experts_per_tok: headCount.default(8),
  moe_intermediate_size: width.default(768),
  norm_topk_prob: flag.default(false),
  /** Layers with experts: every so many, and not these. */
  decoder_sparse_step: layerCount.default(1),
  mlp_only_layers: z.array(z.int(wanted)).max(1024).default([]),
};

const qwen3MoeRead = family(moeKeys, (config, unsupported) => ({
  ...qwen3Spec(config, unsupported),
  windows: config.use_sliding_window
    ? windowEverywhere(config)
    : new Array(config.num_hidden_layers).fill(null),
  experts: {
    layers: Array.from(
      { length: config.num_hidden_layers },
      (_, layer) => !config.mlp_only_layers.includes(layer) && (layer + 1) % config.decoder_sparse_step === 0,
    ),
    count: config.num_experts,
    chosen: config.num_experts_per_tok,
    neurons: config.moe_intermediate_size,
    router: 'mlp.gate',
    module: 'mlp.experts',
    biases: false,
    sumToOne: config.norm_topk_prob,
    clamped: null,
  },
}));

export const qwen3Moe: Family = {
  ...withOtherKeys(qwen3MoeRead, { num_local_experts: 'num_experts' }),
  present: separateExperts({ gate_proj: 'gate_proj', up_proj: 'up_proj', down_proj: 'down_proj' }),
};
