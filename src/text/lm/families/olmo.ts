/** @file OLMo 2 and 3: Llama with norms behind attention and MLP, not before, and queries and keys normalized whole. */
import type { UserError } from '../../../core/errors.js';
import type { TransformerSpec } from '../spec.js';
import { family, length, positive } from './family.js';
import { type LlamaConfig, llamaKeys, llamaSpec, postNormModules, windowsByType } from './llama.js';
import { rotaryByWindow } from './rope.js';

const keys = { ...llamaKeys, rms_norm_eps: positive.default(1e-5) };

function olmoSpec(config: LlamaConfig, unsupported: (what: string) => UserError): TransformerSpec {
  return {
    ...llamaSpec({ ...config, mlp_bias: false }, unsupported),
    modules: postNormModules,
    qkNorm: 'all heads',
  };
}

export const olmo2 = family(keys, olmoSpec);

export const olmo3 = family({ ...keys, sliding_window: length.default(4096) }, (config, unsupported) => {
  const windows = windowsByType(config, (layer) => (layer + 1) % 4 !== 0);
  return {
    ...olmoSpec(config, unsupported),
    windows,
    positions: rotaryByWindow(config, windows, null, unsupported),
  };
});
