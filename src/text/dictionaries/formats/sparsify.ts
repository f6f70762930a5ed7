/** @file EleutherAI's sparsify: a folder a hook point (`layers.3.mlp`) with `cfg.json` and `sae.safetensors`. */
import * as z from 'zod';
import { UserError } from '../../../core/errors.js';
import { plainInput } from '../dictionary.js';
import { type DictionaryFormat, hasArrays, parsedConfig } from '../format.js';

const schema = z.object({
  activation: z.string().default('topk'),
  k: z.int().min(1),
  transcode: z.boolean().default(false),
  signed: z.boolean().default(false),
});

export const readSparsify: DictionaryFormat = (files) => {
  const { config, path } = files;
  if (!hasArrays(files, 'encoder.weight', 'encoder.bias', 'W_dec') || !('d_in' in config && 'k' in config))
    return null;
  const { activation, k, transcode, signed } = parsedConfig(schema, files);
  if (activation !== 'topk' || signed)
    throw new UserError(
      `${files.configPath} has the activation "${signed ? 'signed topk' : activation}", which is not read: topk is`,
    );
  const encoder = { name: 'encoder.weight', latents: 0 } as const;
  const module = path.split('/').at(-2)!;
  return {
    format: 'sparsify',
    // A transcoder reads what goes into the module, an autoencoder what comes out.
    place: transcode ? `${module}.input` : module,
    model: null,
    input: { ...plainInput, subtract: transcode ? null : 'b_dec' },
    decoder: transcode ? null : { matrix: { name: 'W_dec', latents: 0 }, bias: 'b_dec' },
    encoder,
    bias: 'encoder.bias',
    activation: { kind: 'topk', k, signed: false },
  };
};
