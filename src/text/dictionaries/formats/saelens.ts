/** @file SAELens' folders: `cfg.json` and `sae_weights.safetensors`, of version 6 and before. */
import * as z from 'zod';
import { UserError } from '../../../core/errors.js';
import { type Dictionary, type LatentActivation, plainInput } from '../dictionary.js';
import { type DictionaryFormat, hasArrays, parsedConfig } from '../format.js';

/** How the model was loaded. TransformerLens may take the mean off whatever is written to the stream. */
const loading = z.object({ center_writing_weights: z.boolean().optional() }).nullish();

/** Spelt anew in version 6; both are read. */
const schema = z.object({
  architecture: z.string().default('standard'),
  apply_b_dec_to_input: z.boolean().default(true),
  normalize_activations: z.string().nullish(),
  activation_fn: z.string().optional(),
  activation_fn_str: z.string().optional(),
  activation_fn_kwargs: z.object({ k: z.int().min(1).optional() }).nullish(),
  k: z.int().min(1).optional(),
  rescale_acts_by_decoder_norm: z.boolean().default(false),
  hook_name: z.string().optional(),
  hook_point: z.string().optional(),
  model_name: z.string().optional(),
  model_from_pretrained_kwargs: loading,
  metadata: z
    .object({
      hook_name: z.string().nullish(),
      model_name: z.string().nullish(),
      model_from_pretrained_kwargs: loading,
    })
    .nullish(),
});
type SaelensConfig = z.output<typeof schema>;

const normalizations: Readonly<Record<string, Dictionary['input']['normalization']>> = {
  none: 'none',
  layer_norm: 'layerNorm',
  constant_norm_rescale: 'rescale',
  // A factor that training folds into the weights.
  expected_average_only_in: 'none',
};

/** Repositories whose configurations leave out that the stream was centred. */
const centredRepos = /GPT2-Small-(SAEs-Reformatted|Feature-Splitting-Experiment-Layer-8)\//;

/** Whether a dictionary reads its place less its mean: where that is the stream, or is written to it. */
function isCentred(
  { metadata, model_from_pretrained_kwargs: own }: SaelensConfig,
  place: string,
  path: string,
) {
  const said = (metadata?.model_from_pretrained_kwargs ?? own)?.center_writing_weights;
  return (said ?? centredRepos.test(path)) && /hook_(resid_\w+|mlp_out|attn_out)$/.test(place);
}

export const readSaelens: DictionaryFormat = (files) => {
  const { arrays, config } = files;
  if (!hasArrays(files, 'W_enc', 'W_dec') || !('d_in' in config && 'd_sae' in config)) return null;
  const found = parsedConfig(schema, files);
  const encoder = { name: 'W_enc', latents: 1 } as const;
  const normalization = normalizations[found.normalize_activations ?? 'none'];
  if (normalization === undefined)
    throw new UserError(
      `${files.configPath} asks for activations normalized by "${found.normalize_activations}", which is not known`,
    );
  if (arrays.has('scaling_factor') && arrays.read('scaling_factor').some((x) => x !== 1))
    throw new UserError(`${arrays.path} has a "scaling_factor" of its own, which is not read`);
  const transcoder = found.architecture.includes('transcoder');
  const rescaled = found.rescale_acts_by_decoder_norm;
  const place = found.metadata?.hook_name ?? found.hook_name ?? found.hook_point ?? null;
  return {
    format: 'SAELens',
    place,
    model: found.metadata?.model_name ?? found.model_name ?? null,
    input: {
      ...plainInput,
      centred: isCentred(found, place ?? '', files.path),
      normalization,
      subtract: found.apply_b_dec_to_input && !transcoder ? 'b_dec' : null,
    },
    decoder: transcoder ? null : { matrix: { name: 'W_dec', latents: 0 }, bias: 'b_dec' },
    encoder,
    bias: found.architecture === 'gated' ? 'b_gate' : 'b_enc',
    ...(rescaled && { scaledBy: { name: 'W_dec', latents: 0 } as const }),
    activation: activationOf(found, arrays.has('log_threshold'), `${files.configPath}`),
  };
};

function activationOf(config: SaelensConfig, log: boolean, where: string): LatentActivation {
  const { architecture } = config;
  const named = config.activation_fn ?? config.activation_fn_str;
  if (architecture === 'gated') return { kind: 'gated', gain: 'r_mag', magnitude: 'b_mag' };
  if (architecture.startsWith('jumprelu'))
    return { kind: 'jump', threshold: log ? 'log_threshold' : 'threshold', log };
  if (architecture.startsWith('topk') || named === 'topk') {
    const k = config.k ?? config.activation_fn_kwargs?.k;
    if (k === undefined)
      throw new UserError(`${where} does not say how many latents are kept: "k" is missing`);
    return { kind: 'topk', k, signed: false };
  }
  if (['standard', 'transcoder', 'skip_transcoder'].includes(architecture)) return { kind: 'relu' };
  throw new UserError(
    `${where} has the architecture "${architecture}", which is not read: standard, gated, topk and jumprelu are, and transcoders`,
  );
}
