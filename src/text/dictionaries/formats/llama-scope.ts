/** @file Llama Scope: `hyperparams.json`, and `checkpoints/final.safetensors` beside it. */
import * as z from 'zod';
import { UserError } from '../../../core/errors.js';
import { plainInput } from '../dictionary.js';
import { type DictionaryFormat, hasArrays, parsedConfig } from '../format.js';

const schema = z.object({
  d_model: z.int().min(1),
  jump_relu_threshold: z.number(),
  act_fn: z.string().default('jumprelu'),
  apply_decoder_bias_to_pre_encoder: z.boolean().default(false),
  norm_activation: z.string().default('dataset-wise'),
  dataset_average_activation_norm: z.object({ in: z.number().gt(0) }).nullish(),
  hook_point_in: z.string().nullish(),
});

export const readLlamaScope: DictionaryFormat = (files) => {
  if (!hasArrays(files, 'encoder.weight', 'encoder.bias') || !('jump_relu_threshold' in files.config))
    return null;
  const config = parsedConfig(schema, files);
  const norm = config.dataset_average_activation_norm?.in;
  if (config.act_fn !== 'jumprelu' || config.norm_activation !== 'dataset-wise' || norm === undefined)
    throw new UserError(
      `${files.configPath} is not read: jumprelu with "dataset_average_activation_norm" is what Llama Scope has`,
    );
  const encoder = { name: 'encoder.weight', latents: 0 } as const;
  return {
    format: 'Llama Scope',
    place: config.hook_point_in ?? null,
    model: null,
    input: {
      ...plainInput,
      scale: Math.sqrt(config.d_model) / norm,
      subtract: config.apply_decoder_bias_to_pre_encoder ? 'decoder.bias' : null,
    },
    decoder: { matrix: { name: 'decoder.weight', latents: 1 }, bias: 'decoder.bias' },
    encoder,
    bias: 'encoder.bias',
    activation: { kind: 'jump', threshold: config.jump_relu_threshold },
  };
};
