/** @file SmolLM 3: Llama with layers in which nothing turns. */
import { z } from 'zod';
import { family } from './family.js';
import { flag, layerCount, positive } from './keys.js';
import { llamaKeys, llamaSpec, windowsByType } from './llama.js';
import { rotary, rotaryWhere } from './rope.js';

const zeroOrOne = z.int('0 or 1').min(0, '0 or 1').max(1, '0 or 1');
const keys = {
  ...llamaKeys,
  tie_word_embeddings: flag.default(true),
  rope_theta: positive.default(2_000_000),
  use_sliding_window: flag.default(false),
  /** By layer, 1 where queries and keys turn. */
  no_rope_layers: z.array(zeroOrOne).max(1024).optional(),
  /** Else, every so many layers nothing turns. */
  no_rope_layer_interval: layerCount.default(4),
};

export const smollm3 = family(keys, (config, unsupported) => {
  const spec = llamaSpec(config, unsupported);
  const { no_rope_layers, no_rope_layer_interval: interval } = config;
  const turns =
    no_rope_layers?.map((turn) => turn === 1) ?? spec.windows.map((_, layer) => (layer + 1) % interval !== 0);
  return {
    ...spec,
    positions: rotaryWhere(turns, rotary(config, spec, unsupported)),
    windows: windowsByType(config, (layer) => config.use_sliding_window && !turns[layer]),
  };
});
