/** @file Gemma 2: norms before and after both halves of a layer, soft caps, windows in every other layer. */
import type { z } from 'zod';
import type { TransformerSpec } from '../spec.js';
import { type Family, family, type Unsupported, withDefaults } from './family.js';
import { activation, flag, positive } from './keys.js';
import { llamaKeys, llamaModules, llamaSpec, windowsByType } from './llama.js';

export const gemma2Keys = {
  ...llamaKeys,
  hidden_activation: activation.default('geluTanh'),
  query_pre_attn_scalar: positive.default(256),
  attn_logit_softcapping: positive.optional(),
  final_logit_softcapping: positive.optional(),
  tie_word_embeddings: flag.default(true),
};

/** Gemma's norms multiply by 1 + w. */
export const gemmaFold: NonNullable<Family['fold']> = (name, values) => {
  if (!name.endsWith('norm.weight')) return;
  for (let i = 0; i < values.length; i++) values[i]! += 1;
};

export function gemma2Spec(
  config: z.output<z.ZodObject<typeof gemma2Keys>>,
  unsupported: Unsupported,
): TransformerSpec {
  return {
    ...llamaSpec(config, unsupported),
    modules: {
      ...llamaModules,
      layer: {
        ...llamaModules.layer,
        attentionPostNorm: 'post_attention_layernorm',
        mlpNorm: 'pre_feedforward_layernorm',
        mlpPostNorm: 'post_feedforward_layernorm',
      },
    },
    embeddingScale: Math.sqrt(config.hidden_size),
    attentionScale: config.query_pre_attn_scalar ** -0.5,
    attentionCap: config.attn_logit_softcapping ?? null,
    logits: { scale: 1, cap: config.final_logit_softcapping ?? null },
    windows: windowsByType(config, (layer) => layer % 2 === 0),
    activation: config.hidden_activation,
  };
}

const defaults = {
  sliding_window: 4096,
  attn_logit_softcapping: 50,
  final_logit_softcapping: 30,
};

export const gemma2: Family = { ...withDefaults(family(gemma2Keys, gemma2Spec), defaults), fold: gemmaFold };
