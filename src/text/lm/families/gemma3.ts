/** @file Gemma 3: Gemma 2 with normalized queries and keys, and slow rotary positions where a layer sees everything. */
import { UserError } from '../../../core/errors.js';
import { type Family, family } from './family.js';
import { gemma2Keys, gemma2Spec, gemmaFold } from './gemma2.js';
import { flag, headCount, layerCount, length, positive, vocabulary, width } from './keys.js';
import { headNorms, windowsByType } from './llama.js';
import { rotaryByWindow } from './rope.js';

/** The defaults are those of transformers: published multimodal models leave most keys out. */
const keys = {
  ...gemma2Keys,
  hidden_size: width.default(2304),
  intermediate_size: width.default(9216),
  num_hidden_layers: layerCount.default(26),
  num_attention_heads: headCount.default(8),
  num_key_value_heads: headCount.default(4),
  head_dim: width.default(256),
  vocab_size: vocabulary.default(262_208),
  max_position_embeddings: length.default(131_072),
  sliding_window: length.default(4096),
  /** Every so many layers one sees everything. */
  sliding_window_pattern: layerCount.default(6),
  rope_theta: positive.default(1_000_000),
  rope_local_base_freq: positive.default(10_000),
  use_bidirectional_attention: flag.default(false),
};

export const gemma3Text: Family = {
  ...family(keys, (config, unsupported) => {
    if (config.use_bidirectional_attention)
      throw unsupported('attention to what comes later, which is not supported');
    const windows = windowsByType(config, (layer) => (layer + 1) % config.sliding_window_pattern !== 0);
    const { modules, ...spec } = gemma2Spec(config, unsupported);
    return {
      ...spec,
      // As in transformers, whatever "attn_logit_softcapping" says.
      attentionCap: null,
      modules: {
        ...modules,
        layer: { ...modules.layer, ...headNorms },
      },
      windows,
      positions: rotaryByWindow(
        config,
        { dHead: spec.dHead, windows },
        config.rope_local_base_freq,
        unsupported,
      ),
    };
  }),
  fold: gemmaFold,
};

/** The language model of a multimodal one. */
export const gemma3: Family = {
  ...gemma3Text,
  read(json, where) {
    const { text_config: own, ...outer } = json as Record<string, unknown>;
    if (typeof own !== 'object' || own === null) throw new UserError(`${where} has no "text_config"`);
    const { bos_token_id, eos_token_id, tie_word_embeddings } = outer;
    // As in transformers, whatever the language model's own configuration says.
    const fixed = { model_type: 'gemma3_text', tie_word_embeddings, final_logit_softcapping: null };
    return gemma3Text.read({ bos_token_id, eos_token_id, ...own, ...fixed }, where);
  },
};
