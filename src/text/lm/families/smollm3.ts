/** @file SmolLM 3: Llama with layers in which nothing turns. */
import { z } from 'zod';
import { family, flag, layerCount } from './family.js';
import { llamaKeys, llamaSpec, windowsByType } from './llama.js';

const zeroOrOne = z.int('0 or 1').min(0, '0 or 1').max(1, '0 or 1');
const keys = {
  ...llamaKeys,
  tie_word_embeddings: flag.default(true),
  use_sliding_window: flag.default(false),
  /** By layer, 1 where queries and keys turn. */
  no_rope_layers: z.array(zeroOrOne).max(1024).optional(),
  /** Else, every so many layers nothing turns. */
  no_rope_layer_interval: layerCount.default(4),
};

export const smollm3 = family(keys, (config, unsupported) => {
  const spec = llamaSpec(config, unsupported);
  const { no_rope_layers: turns, no_rope_layer_interval: interval } = config;
  const turning = spec.positions.kind === 'rotary' ? spec.positions.layers[0]! : null;
  const layers = (turns ?? spec.windows.map((_, layer) => ((layer + 1) % interval === 0 ? 0 : 1))).map(
    (turn) => (turn === 1 ? turning : null),
  );
  return {
    ...spec,
    positions: { kind: 'rotary', layers },
    windows: config.use_sliding_window ? windowsByType(config, () => false) : spec.windows,
  };
});
