/** @file GPT-OSS: experts whose gate is clamped, attention sinks, windows in every other layer. */
import { type Family, family, withOtherKeys } from './family.js';
import { flag, headCount, length, positive } from './keys.js';
import { llamaKeys, llamaModules, llamaSpec, windowsByType } from './llama.js';
import { gptOssExperts } from './stored-experts.js';

const keys = {
  ...llamaKeys,
  rms_norm_eps: positive.default(1e-5),
  rope_theta: positive.default(150_000),
  attention_bias: flag.default(true),
  sliding_window: length.default(128),
  num_local_experts: headCount,
  num_experts_per_tok: headCount,
  swiglu_alpha: positive.default(1.702),
  swiglu_limit: positive.default(7),
};

const read = family(keys, (config, unsupported) => ({
  ...llamaSpec(
    { ...config, mlp_bias: false, rope_parameters: config.rope_parameters ?? config.rope_scaling ?? rope },
    unsupported,
  ),
  modules: { ...llamaModules, layer: { ...llamaModules.layer, sinks: 'self_attn.sinks' } },
  windows: windowsByType(config, (layer) => layer % 2 === 0),
  experts: {
    layers: new Array(config.num_hidden_layers).fill(true),
    count: config.num_local_experts,
    chosen: config.num_experts_per_tok,
    neurons: config.intermediate_size,
    router: 'mlp.router',
    module: 'mlp.experts',
    biases: true,
    sumToOne: true,
    clamped: { slope: config.swiglu_alpha, limit: config.swiglu_limit },
  },
}));

/** Positions of gpt-oss-20b, where config.json says nothing of them. */
const rope = {
  rope_type: 'yarn',
  factor: 32,
  beta_fast: 32,
  beta_slow: 1,
  truncate: false,
  original_max_position_embeddings: 4096,
};

export const gptOss: Family = {
  ...withOtherKeys(read, { experts_per_token: 'num_experts_per_tok' }),
  quantized: ['mxfp4'],
  present: gptOssExperts,
};
