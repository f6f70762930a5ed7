/** @file Phi-3, 3.5 and 4: Mistral with fused projections. */
import { family } from './family.js';
import { llamaKeys, llamaModules } from './llama.js';
import { mistralSpec } from './mistral.js';

const { gate: _gate, up: _up, ...layer } = llamaModules.layer;

export const phi3 = family(llamaKeys, (config, unsupported) => ({
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
