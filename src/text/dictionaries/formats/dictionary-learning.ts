/** @file dictionary_learning: `ae.pt`, a state dict, and `config.json`. */
import * as z from 'zod';
import { UserError } from '../../../core/errors.js';
import { type Dictionary, plainInput } from '../dictionary.js';
import { type DictionaryFormat, hasArrays, matrixBeside, parsedConfig, wholeNumber } from '../format.js';
import type { DictionaryFiles } from '../found-files.js';

const schema = z.object({
  trainer: z.object({
    dict_class: z.string(),
    layer: z.int().min(0).nullish(),
    lm_name: z.string().nullish(),
    submodule_name: z.string().nullish(),
  }),
});

type Parts = Pick<Dictionary, 'input' | 'encoder' | 'bias' | 'activation'>;

/** The decoder. Its names are the same in every kind of trainer, except the bias's. */
function decoderOf(files: DictionaryFiles, { input, encoder }: Parts): Dictionary['decoder'] {
  const bias = input.subtract ?? ['b_dec', 'decoder.bias'].find((name) => files.arrays.has(name));
  const name = encoder.name === 'W_enc' ? 'W_dec' : 'decoder.weight';
  return bias === undefined ? null : { matrix: { name, latents: encoder.latents === 0 ? 1 : 0 }, bias };
}

/** Rows of a linear layer are latents. */
const linear = { encoder: { name: 'encoder.weight', latents: 0 }, bias: 'encoder.bias' } as const;
const less = (subtract: string | null): Dictionary['input'] => ({ ...plainInput, subtract });
const jump = { kind: 'jump', threshold: 'threshold' } as const;

/** By class of the library. */
const classes: Readonly<Record<string, (files: DictionaryFiles) => Parts>> = {
  AutoEncoder: () => ({ ...linear, input: less('bias'), activation: { kind: 'relu' } }),
  AutoEncoderNew: () => ({ ...linear, input: plainInput, activation: { kind: 'relu' } }),
  GatedAutoEncoder: () => ({
    encoder: linear.encoder,
    bias: 'gate_bias',
    input: less('decoder_bias'),
    activation: { kind: 'gated', gain: 'r_mag', magnitude: 'mag_bias' },
  }),
  AutoEncoderTopK: (files) => {
    const k = wholeNumber(files, 'k');
    if (k === null)
      throw new UserError(`${files.path} does not say how many latents are kept: "k" is missing`);
    return { ...linear, input: less('b_dec'), activation: { kind: 'topk', k, signed: false } };
  },
  BatchTopKSAE: () => ({ ...linear, input: less('b_dec'), activation: jump }),
  MatryoshkaBatchTopKSAE: (files) => ({
    encoder: matrixBeside(files, 'W_enc', 'b_enc', 1),
    bias: 'b_enc',
    input: less('b_dec'),
    activation: jump,
  }),
  JumpReluAutoEncoder: (files) => ({
    encoder: matrixBeside(files, 'W_enc', 'b_enc', 1),
    bias: 'b_enc',
    input: plainInput,
    activation: jump,
  }),
};

/** What the library's scripts call submodules. */
const sites: Readonly<Record<string, string>> = {
  resid_post: 'hook_resid_post',
  resid_pre: 'hook_resid_pre',
  mlp_out: 'hook_mlp_out',
  attn_out: 'hook_attn_out',
  attention_out: 'hook_attn_out',
};

export const readDictionaryLearning: DictionaryFormat = (files) => {
  if (!('trainer' in files.config)) return null;
  const { trainer } = parsedConfig(schema, files);
  const parts = Object.hasOwn(classes, trainer.dict_class) ? classes[trainer.dict_class]! : null;
  if (parts === null)
    throw new UserError(
      `${files.configPath} has the class "${trainer.dict_class}", which is not read: ${Object.keys(classes).join(', ')} are`,
    );
  const found = parts(files);
  if (!hasArrays(files, found.encoder.name))
    throw new UserError(`${files.path} has no "${found.encoder.name}", which a ${trainer.dict_class} has`);
  const [, site = '', digits] = /^(\w+?)(?:_layer_(\d+))?$/.exec(trainer.submodule_name ?? '') ?? [];
  const layer = digits ?? trainer.layer;
  const where = Object.hasOwn(sites, site) ? sites[site] : undefined;
  return {
    format: 'dictionary_learning',
    place:
      where !== undefined && layer != null ? `blocks.${layer}.${where}` : (trainer.submodule_name ?? null),
    model: trainer.lm_name ?? null,
    decoder: decoderOf(files, found),
    ...found,
  };
};
