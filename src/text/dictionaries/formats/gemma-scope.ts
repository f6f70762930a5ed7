/**
 * @file Gemma Scope 1 (`layer_20/width_16k/average_l0_71/params.npz`) and 2 (`layer_12_width_16k_l0_small/` with
 * `params.safetensors`, and `config.json` mostly). JumpReLU; the decoder's bias is not subtracted.
 */
import * as z from 'zod';
import { plainInput } from '../dictionary.js';
import { type DictionaryFormat, hasArrays, parsedConfig } from '../format.js';

/** What the first part of a repository reads, without its layer. The transcoders' input has not its norm's gain yet. */
const firstSites: Readonly<Record<string, string>> = {
  res: 'hook_resid_post',
  mlp: 'hook_mlp_out',
  att: 'attn.hook_z',
  transcoders: 'ln2.hook_normalized',
};

/** The same of the second's folders. */
const secondSites: Readonly<Record<string, string>> = {
  resid_post: 'hook_resid_post',
  mlp_out: 'hook_mlp_out',
  attn_out: 'attn.hook_z',
  transcoder: 'mlp.hook_in',
};

export const readGemmaScope: DictionaryFormat = (files) => {
  if (!files.path.endsWith('.npz') || !hasArrays(files, 'threshold', 'b_enc')) return null;
  const name = ['W_enc', 'w_enc'].find((name) => files.arrays.has(name));
  if (name === undefined) return null;
  const encoder = { name, latents: 1 } as const;
  const [, size, tuning, site = ''] =
    /gemma-scope-(\w+)-([pi]t)-(res|mlp|att|transcoders)\b/.exec(files.path) ?? [];
  const layer = /\/layer_(\d+)\//.exec(files.path)?.[1];
  const where = firstSites[site];
  return {
    format: 'Gemma Scope',
    place: layer !== undefined && where !== undefined ? `blocks.${layer}.${where}` : null,
    model: size === undefined ? null : `google/gemma-2-${size}${tuning === 'it' ? '-it' : ''}`,
    input: plainInput,
    decoder:
      site === 'transcoders'
        ? null
        : { matrix: { name: name.replace('enc', 'dec'), latents: 0 }, bias: 'b_dec' },
    encoder,
    bias: 'b_enc',
    activation: { kind: 'jump', threshold: 'threshold' },
  };
};

const schema = z.object({ model_name: z.string().optional(), hf_hook_point_in: z.string().optional() });

export const readGemmaScope2: DictionaryFormat = (files) => {
  if (!hasArrays(files, 'w_enc', 'b_enc', 'threshold')) return null;
  const encoder = { name: 'w_enc', latents: 1 } as const;
  const config = parsedConfig(schema, files);
  const [, site = '', layer] = /\/(\w+?)(?:_all)?\/layer_(\d+)_width/.exec(files.path) ?? [];
  const where = secondSites[site];
  return {
    format: 'Gemma Scope 2',
    place: config.hf_hook_point_in ?? (where === undefined ? null : `blocks.${layer}.${where}`),
    model: config.model_name ?? null,
    input: plainInput,
    decoder:
      where !== undefined && site !== 'transcoder'
        ? { matrix: { name: 'w_dec', latents: 0 }, bias: 'b_dec' }
        : null,
    encoder,
    bias: 'b_enc',
    activation: { kind: 'jump', threshold: 'threshold' },
  };
};
