/** @file Places in a transformer that can be asked for, by their TransformerLens names. */
import { expertsOf, type TransformerSpec } from './spec.js';

/**
 * - `blocks.L.hook_resid_pre|mid|post`, `[batch, pos, dModel]`: the residual stream before a layer, between
 *   attention and MLP (not in layers that run them in parallel), and after it
 * - `blocks.L.attn.hook_pattern`, `[batch, head, qPos, kPos]`: attention probabilities
 * - `blocks.L.attn.hook_z`, `[batch, pos, head, dHead]`: each head's mix of values
 * - `blocks.L.attn.hook_result`, `[batch, pos, head, dModel]`: each head's residual delta, projection bias left out
 * - `blocks.L.attn.residual_delta`, `[batch, pos, head, dModel]`: where attention's output passes a norm before the sum,
 *   what each head adds through it, its scale held fixed
 * - `blocks.L.attn.post_scale`, `blocks.L.mlp.post_scale`, `[batch, pos, 1]`: where what attention or the MLP writes
 *   passes a norm before the sum, what that multiplies it by, without its weights
 * - `blocks.L.mlp.hook_pre`, `[batch, pos, neuron]`: before the activation function; the gate's, in gated MLPs
 * - `blocks.L.mlp.hook_post`, `[batch, pos, neuron]`: what the down projection reads
 * - `blocks.L.ln2.hook_normalized`, `[batch, pos, dModel]`: what the MLP's norm makes of the stream before it is
 *   multiplied by the norm's weights
 * - `blocks.L.mlp.hook_in`, `[batch, pos, dModel]`: what the MLP reads
 * - `blocks.L.hook_attn_out`, `blocks.L.hook_mlp_out`, `[batch, pos, dModel]`: what attention and the MLP add to the stream
 * - `blocks.L.mlp.router.{0,1,2}`, `[batch * pos, ...]`: in layers of experts, the router's logits of all, and of those
 *   that it chooses, strongest first, the weights and the numbers (int32)
 * - `blocks.L.mlp.hook_shares`, `[batch, pos, expert]`: by what the output of each expert is multiplied, 0 where it is not
 *   chosen
 * - `blocks.L.mlp.experts.E.hook_post`, `[batch, pos, neuron]`: what the down projection of an expert reads; 0 at tokens
 *   that it is not chosen for
 * - `ln_final.hook_normalized`, `[batch, pos, dModel]`: what the unembedding reads
 * - `logits`, `[batch, pos, vocab]`
 */
export type Place =
  | `blocks.${number}.${LayerPlace}`
  | `blocks.${number}.mlp.experts.${number}.hook_post`
  | 'ln_final.hook_normalized'
  | 'logits';

/** Places inside a layer, without the layer. */
const layerPlaces = [
  'hook_resid_pre',
  'hook_resid_mid',
  'hook_resid_post',
  'attn.hook_pattern',
  'attn.hook_z',
  'attn.hook_result',
  'attn.residual_delta',
  'attn.post_scale',
  'hook_attn_out',
  'hook_mlp_out',
  'ln2.hook_normalized',
  'mlp.hook_in',
  'mlp.hook_pre',
  'mlp.hook_post',
  'mlp.post_scale',
  'mlp.router.0',
  'mlp.router.1',
  'mlp.router.2',
  'mlp.hook_shares',
] as const;
export type LayerPlace = (typeof layerPlaces)[number];

type ParsedPlace =
  | { readonly layer: number; readonly name: LayerPlace }
  | { readonly layer: number; readonly name: 'expert'; readonly expert: number }
  | { readonly layer: null; readonly name: 'ln_final.hook_normalized' | 'logits' };

/** Takes a place's name apart. Throws Error for a place that this model does not have. */
export function parsePlace(place: Place, spec: TransformerSpec): ParsedPlace {
  if (place === 'logits' || place === 'ln_final.hook_normalized') return { layer: null, name: place };
  const [, digits, rest] = /^blocks\.(\d+)\.(.+)$/.exec(place) ?? [];
  const name = layerPlaces.find((known) => known === rest);
  const layer = Number(digits);
  const experts = expertsOf(spec, layer)?.count ?? 0;
  const expert = /^mlp\.experts\.(\d+)\.hook_post$/.exec(rest ?? '')?.[1];
  if (expert !== undefined && Number(expert) < experts)
    return { layer, name: 'expert', expert: Number(expert) };
  const { attentionPostNorm, mlpPostNorm } = spec.modules.layer;
  const missing =
    (name === 'hook_resid_mid' && spec.parallelResidual) ||
    ((name === 'attn.post_scale' || name === 'attn.residual_delta') && !attentionPostNorm) ||
    (name === 'mlp.post_scale' && !mlpPostNorm) ||
    ((name === 'mlp.hook_pre' || name === 'mlp.hook_post') && experts > 0) ||
    ((name?.startsWith('mlp.router') || name === 'mlp.hook_shares') && experts === 0);
  if (!name || layer >= spec.layers || missing)
    throw new Error(`this model of ${spec.layers} layers has no place "${place}"`);
  return { layer, name };
}
