/** @file GPT-J. */
import type { ModuleNames } from '../spec.js';
import { basicSpec, family, withDefaults } from './family.js';
import { gpt2Keys, gpt2Modules } from './gpt2.js';
import { flag, width } from './keys.js';
import { rotaryPositions } from './rope.js';

const keys = { ...gpt2Keys, rotary_dim: width.optional(), tie_word_embeddings: flag.default(false) };

const { positionEmbedding: _, ...names } = gpt2Modules;
const modules: ModuleNames = {
  ...names,
  layer: {
    attentionNorm: 'ln_1',
    attention: { kind: 'separate', query: 'attn.q_proj', key: 'attn.k_proj', value: 'attn.v_proj' },
    output: 'attn.out_proj',
    mlpNorm: 'ln_1',
    up: 'mlp.fc_in',
    down: 'mlp.fc_out',
  },
  matrices: 'out,in',
};

const read = family(keys, (config, unsupported) => {
  const { n_embd: dModel, n_head: heads, n_layer: layers } = config;
  const basic = basicSpec(config, { layers, dModel, heads }, unsupported);
  const dims = config.rotary_dim ?? basic.dHead;
  return {
    ...basic,
    modules,
    dMlp: config.n_inner ?? 4 * dModel,
    context: config.n_positions,
    norm: { kind: 'layer', eps: config.layer_norm_epsilon },
    positions: rotaryPositions(layers, { dims, pairs: 'neighbours', theta: 10000, scaling: null }),
    biases: { qkv: false, output: false, mlp: true, unembedding: true },
    parallelResidual: true,
    activation: config.activation_function,
  };
});

export const gptj = withDefaults(read, { rotary_dim: 64 });
