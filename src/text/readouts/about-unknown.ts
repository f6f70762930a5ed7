/** @file What config.json says of a language model whose architecture is not known. */
import type { UnknownFamily } from '../lm/config.js';
import type { ModelAbout } from './about-model.js';

type Sizes = Omit<ModelAbout['sizes'], 'parameters' | 'bytes' | 'precision'>;

export interface UnknownModel {
  kind: 'unknown';
  /** As config.json names it. */
  architecture: string;
  /** Null where config.json does not say it. */
  sizes: { [Size in keyof Sizes]: number | null };
  context: number | null;
  window: number | null;
  bos_token_id: number | null;
  experts: number | null;
  /** What config.json does not say, or what only the architecture would. */
  unknown: string[];
}

/** Names that families have for the same figure, the commonest first. */
const keys = {
  layers: ['num_hidden_layers', 'n_layer', 'n_layers', 'num_layers'],
  heads: ['num_attention_heads', 'n_head', 'n_heads', 'num_heads'],
  key_value_heads: ['num_key_value_heads', 'num_kv_heads', 'n_kv_heads', 'n_head_kv'],
  d_model: ['hidden_size', 'n_embd', 'd_model'],
  d_head: ['head_dim', 'd_head', 'd_kv'],
  d_mlp: ['intermediate_size', 'n_inner', 'ffn_dim', 'ffn_hidden_size', 'd_ff'],
  vocabulary: ['vocab_size', 'padded_vocab_size'],
  context: ['max_position_embeddings', 'n_positions', 'n_ctx', 'max_sequence_length', 'max_seq_len'],
  window: ['sliding_window', 'window_size'],
  bos_token_id: ['bos_token_id'],
  experts: ['num_local_experts', 'num_experts', 'n_routed_experts'],
} as const;

/** Figures without which nothing is missing: many models have neither. */
const optional: readonly string[] = ['window', 'experts'];

/** Reads the figures under the names that known families have for them, in `text_config` too. */
export function aboutUnknown({ architecture, config }: UnknownFamily): UnknownModel {
  const { text_config: nested } = config;
  const all: Readonly<Record<string, unknown>> =
    typeof nested === 'object' ? { ...config, ...nested } : config;
  const figures = Object.fromEntries(
    Object.entries(keys).map(([figure, names]) => [
      figure,
      names.map((name) => all[name]).find((value) => Number.isSafeInteger(value) && Number(value) >= 0) ??
        null,
    ]),
  ) as Record<keyof typeof keys, number | null>;
  const { context, window, bos_token_id, experts, ...sizes } = figures;
  const missing = Object.entries(figures).flatMap(([figure, value]) =>
    value === null && !optional.includes(figure) ? [figure] : [],
  );
  return {
    kind: 'unknown',
    architecture,
    sizes,
    context,
    window,
    bos_token_id,
    experts,
    unknown: [...missing, 'positions', 'units'],
  };
}
