/** @file What a dictionary reads, as files spell it, to a place of a transformer. */
import type { LayerPlace } from '../lm/places.js';

export interface LatentPlace {
  readonly layer: number;
  readonly name: LayerPlace;
}

/** Names behind `blocks.L.` of TransformerLens, and behind a layer's module in Hugging Face's models. */
const spellings: Readonly<Record<string, LayerPlace>> = {
  hook_resid_pre: 'hook_resid_pre',
  hook_resid_mid: 'hook_resid_mid',
  hook_resid_post: 'hook_resid_post',
  hook_attn_out: 'hook_attn_out',
  hook_mlp_out: 'hook_mlp_out',
  // Before the norm, in TransformerLens.
  hook_mlp_in: 'hook_resid_mid',
  'attn.hook_z': 'attn.hook_z',
  'ln2.hook_normalized': 'ln2.hook_normalized',
  'mlp.hook_in': 'mlp.hook_in',
  'mlp.hook_pre': 'mlp.hook_pre',
  'mlp.hook_post': 'mlp.hook_post',
  '': 'hook_resid_post',
  output: 'hook_resid_post',
  input: 'hook_resid_pre',
  mlp: 'hook_mlp_out',
  'mlp.output': 'hook_mlp_out',
  'mlp.input': 'mlp.hook_in',
  'mlp.down_proj.input': 'mlp.hook_post',
  self_attn: 'hook_attn_out',
  'self_attn.output': 'hook_attn_out',
  'self_attn.o_proj.input': 'attn.hook_z',
  'pre_feedforward_layernorm.output': 'mlp.hook_in',
  'post_feedforward_layernorm.output': 'hook_mlp_out',
};

/** `blocks.3.hook_resid_post`, `model.layers.3.mlp`, `transformer.h.3`; null for what is none of a layer. */
export function parseLatentPlace(text: string): LatentPlace | null {
  const [, digits, rest = ''] = /^(?:[a-z_]+\.)*(?:blocks|layers|h)\.(\d{1,6})(?:\.(.+))?$/.exec(text) ?? [];
  if (digits === undefined || !Object.hasOwn(spellings, rest)) return null;
  return { layer: Number(digits), name: spellings[rest]! };
}
