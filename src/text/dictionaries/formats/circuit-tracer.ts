/**
 * @file circuit-tracer: transcoders (`layer_3.safetensors`, `config.yaml`) and cross-layer transcoders
 * (`W_enc_3.safetensors`). Encoders are `[latent, d]`.
 */
import * as z from 'zod';
import { type LatentActivation, plainInput } from '../dictionary.js';
import { type DictionaryFormat, hasArrays, matrixBeside, parsedConfig } from '../format.js';

const schema = z.object({
  feature_input_hook: z.string().optional(),
  model_name: z.string().optional(),
  activation: z.string().optional(),
  k: z.coerce.number().int().min(1).optional(),
});

export const readCircuitTracer: DictionaryFormat = (files) => {
  const { arrays, path } = files;
  const [, kind, layer] = /\/(layer|W_enc)_(\d+)\.safetensors$/.exec(path) ?? [];
  if (layer === undefined) return null;
  const name = (plain: string) => (kind === 'W_enc' ? `${plain}_${layer}` : plain);
  if (!hasArrays(files, name('W_enc'), name('b_enc'))) return null;
  const { feature_input_hook, model_name, activation, k } = parsedConfig(schema, files);
  const encoder = matrixBeside(files, name('W_enc'), name('b_enc'), 0);
  const threshold = ['activation_function.threshold', name('threshold')].find((name) => arrays.has(name));
  // The library keeps what is negative, too.
  const plain: LatentActivation =
    activation === 'topk' && k !== undefined ? { kind: 'topk', k, signed: true } : { kind: 'relu' };
  return {
    format: kind === 'W_enc' ? 'cross-layer transcoder' : 'circuit-tracer',
    place: `blocks.${layer}.${feature_input_hook ?? 'hook_resid_mid'}`,
    model: model_name ?? null,
    input: plainInput,
    decoder: null,
    encoder,
    bias: name('b_enc'),
    activation: threshold === undefined ? plain : { kind: 'jump', threshold },
  };
};
