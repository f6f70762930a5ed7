/** @file Mixtral: Mistral with experts in every layer. */
import { type Family, family } from './family.js';
import { headCount, positive } from './keys.js';
import { llamaKeys } from './llama.js';
import { mistralSpec } from './mistral.js';
import { separateExperts } from './stored-experts.js';

const keys = {
  ...llamaKeys,
  rms_norm_eps: positive.default(1e-5),
  rope_theta: positive.default(1_000_000),
  num_local_experts: headCount.default(8),
  num_experts_per_tok: headCount.default(2),
};

const read = family(keys, (config, unsupported) => ({
  ...mistralSpec(config, unsupported),
  experts: {
    layers: new Array(config.num_hidden_layers).fill(true),
    count: config.num_local_experts,
    chosen: config.num_experts_per_tok,
    neurons: config.intermediate_size,
    router: 'block_sparse_moe.gate',
    module: 'block_sparse_moe.experts',
    biases: false,
    sumToOne: true,
    clamped: null,
  },
}));

export const mixtral: Family = {
  ...read,
  present: separateExperts({ gate_proj: 'w1', up_proj: 'w3', down_proj: 'w2' }),
};
