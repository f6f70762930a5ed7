/** @file OLMo 2 and 3: Llama with norms behind attention and MLP, not before, and queries and keys normalized whole. */
import type { TransformerSpec } from '../spec.js';
import { family, type Unsupported } from './family.js';
import { length, positive } from './keys.js';
import { type LlamaConfig, llamaKeys, llamaSpec, postNormModules, windowsByType } from './llama.js';
import { rotaryByWindow } from './rope.js';

const keys = { ...llamaKeys, rms_norm_eps: positive.default(1e-5) };

function olmoSpec(config: LlamaConfig, unsupported: Unsupported): TransformerSpec {
  return {
    ...llamaSpec({ ...config, mlp_bias: false }, unsupported),
    modules: postNormModules,
    qkNorm: 'all heads',
  };
}

export const olmo2 = family(keys, olmoSpec);

const newerKeys = {
  ...keys,
  rope_theta: positive.default(500_000),
  sliding_window: length.default(4096),
};

export const olmo3 = family(newerKeys, (config, unsupported) => {
  const windows = windowsByType(config, (layer) => (layer + 1) % 4 !== 0);
  const spec = olmoSpec(config, unsupported);
  const positions = rotaryByWindow(config, { dHead: spec.dHead, windows }, null, unsupported);
  return { ...spec, windows, positions };
});
