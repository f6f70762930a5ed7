/** @file Qwen-Scope: `layer12.sae.pt` in a repository whose name says how many latents are kept (`…-L0_50`). */
import { UserError } from '../../../core/errors.js';
import { plainInput } from '../dictionary.js';
import { type DictionaryFormat, hasArrays, matrixBeside, wholeNumber } from '../format.js';

export const readQwenScope: DictionaryFormat = (files) => {
  const layer = /\/layer(\d+)\.sae\.pt$/.exec(files.path)?.[1];
  if (layer === undefined || !hasArrays(files, 'W_enc', 'b_enc')) return null;
  const k = wholeNumber(files, 'k') ?? Number(/L0_(\d+)/.exec(files.path)?.[1] ?? 0);
  if (k === 0)
    throw new UserError(
      `${files.path} does not say how many latents are kept: its folder has L0_50 or the like in its name, as the repository`,
    );
  const encoder = matrixBeside(files, 'W_enc', 'b_enc', 0);
  return {
    format: 'Qwen-Scope',
    place: `blocks.${layer}.hook_resid_post`,
    model: /SAE-Res-([\w.-]+?)-W\d/.exec(files.path)?.[1] ?? null,
    input: plainInput,
    decoder: { matrix: { name: 'W_dec', latents: encoder.latents === 0 ? 1 : 0 }, bias: 'b_dec' },
    encoder,
    bias: 'b_enc',
    activation: { kind: 'topk', k, signed: false },
  };
};
