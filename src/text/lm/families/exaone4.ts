/** @file EXAONE 4: norms behind attention and MLP, as OLMo 2; where windows alternate, nothing turns in the other layers. */
import { family, withDefaults } from './family.js';
import { layerCount, positive } from './keys.js';
import { llamaKeys, llamaSpec, postNormModules, windowsByType } from './llama.js';
import { rotary, rotaryWhere } from './rope.js';

const keys = {
  ...llamaKeys,
  rms_norm_eps: positive.default(1e-5),
  /** Every so many layers one sees everything; 0 and "LLLG" are other ways to say what `layer_types` says. */
  sliding_window_pattern: layerCount.optional().catch(undefined),
};

const read = family(keys, (config, unsupported) => {
  const spec = llamaSpec({ ...config, attention_bias: false, mlp_bias: false }, unsupported);
  const { sliding_window_pattern: pattern = 4 } = config;
  const windows = windowsByType(config, (layer) => (layer + 1) % pattern !== 0);
  const turns = windows.map((window) => config.sliding_window === undefined || window !== null);
  const positions = rotaryWhere(turns, rotary(config, spec, unsupported));
  return { ...spec, modules: postNormModules, windows, positions };
});

export const exaone4 = withDefaults(read, { sliding_window: 4096 });
