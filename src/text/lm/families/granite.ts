/** @file Granite: Llama with four multipliers. */
import { family } from './family.js';
import { positive } from './keys.js';
import { llamaKeys, llamaSpec } from './llama.js';

const keys = {
  ...llamaKeys,
  embedding_multiplier: positive.default(1),
  attention_multiplier: positive.default(1),
  residual_multiplier: positive.default(1),
  logits_scaling: positive.default(1),
};

export const granite = family(keys, (config, unsupported) => ({
  ...llamaSpec(config, unsupported),
  embeddingScale: config.embedding_multiplier,
  attentionScale: config.attention_multiplier,
  residualScale: config.residual_multiplier,
  logits: { scale: 1 / config.logits_scaling, cap: null },
}));
