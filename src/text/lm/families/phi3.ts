/** @file Phi-3, 3.5 and 4: Mistral with fused projections. */
import { family, withDefaults } from './family.js';
import { positive } from './keys.js';
import { llamaKeys, llamaModules } from './llama.js';
import { mistralSpec } from './mistral.js';

const { gate: _gate, up: _up, ...layer } = llamaModules.layer;

const read = family({ ...llamaKeys, rms_norm_eps: positive.default(1e-5) }, (config, unsupported) => ({
  ...mistralSpec(config, unsupported),
  modules: {
    ...llamaModules,
    layer: {
      ...layer,
      attention: { kind: 'fused', queryKeyValue: 'self_attn.qkv_proj', order: 'part,head' },
      gateUp: 'mlp.gate_up_proj',
    },
  },
}));

export const phi3 = withDefaults(read, { original_max_position_embeddings: 4096 });
