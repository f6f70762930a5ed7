/** @file OpenAI's autoencoders of GPT-2 small: `{location}_v5_32k/autoencoders/{layer}.pt` and the older plain ones. */
import { UserError } from '../../../core/errors.js';
import { type LatentActivation, plainInput } from '../dictionary.js';
import { type DictionaryFormat, hasArrays, wholeNumber } from '../format.js';
import type { DictionaryFiles } from '../found-files.js';

const sites: Readonly<Record<string, string>> = {
  resid_delta_attn: 'hook_attn_out',
  resid_delta_mlp: 'hook_mlp_out',
  resid_post_attn: 'hook_resid_mid',
  resid_post_mlp: 'hook_resid_post',
  mlp_post_act: 'mlp.hook_post',
};

export const readOpenai: DictionaryFormat = (files) => {
  if (!hasArrays(files, 'pre_bias', 'latent_bias', 'encoder.weight')) return null;
  const [, site = '', layer] =
    /\/(resid_\w+?|mlp_post_act)(?:_v\w+)?\/(?:.*\/)?(\d+)\.pt$/.exec(files.path) ?? [];
  const where = sites[site];
  const encoder = { name: 'encoder.weight', latents: 0 } as const;
  const activation = activationOf(files);
  return {
    format: 'OpenAI',
    place: where === undefined ? null : `blocks.${layer}.${where}`,
    model: 'gpt2',
    // Those of TopK came with a layer norm of the input, the older ones without.
    input: {
      ...plainInput,
      normalization: activation.kind === 'topk' ? 'layerNorm' : 'none',
      subtract: 'pre_bias',
    },
    decoder: { matrix: { name: 'decoder.weight', latents: 1 }, bias: 'pre_bias' },
    encoder,
    bias: 'latent_bias',
    activation,
  };
};

function activationOf(files: DictionaryFiles): LatentActivation {
  const name = files.values.get('activation') ?? 'ReLU';
  if (name === 'ReLU') return { kind: 'relu' };
  const k = wholeNumber(files, 'activation_state_dict.k');
  const after = files.values.get('activation_state_dict.postact_fn') ?? 'ReLU';
  if (name !== 'TopK' || k === null || (after !== 'ReLU' && after !== 'Identity'))
    throw new UserError(`${files.path} has the activation "${name}", which is not read: ReLU and TopK are`);
  return { kind: 'topk', k, signed: after === 'Identity' };
}
