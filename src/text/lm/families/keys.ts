/** @file What keys of a config.json hold. The largest numbers are a few times those of the largest networks there are. */
import { z } from 'zod';
import type { Activation } from '../spec.js';

const count = (most: number) => {
  const wanted = `a whole number from 1 to ${most}`;
  return z.int(wanted).min(1, wanted).max(most, wanted);
};
export const layerCount = count(1024);
export const headCount = count(4096);
export const width = count(2 ** 20);
export const vocabulary = count(2 ** 24);
export const length = count(2 ** 30);
export const finite = z.number('a number');
export const positive = z.number('a number above 0').gt(0, 'a number above 0');
export const flag = z.boolean('true or false');
export const string = z.string('a string');
/** Kinds of attention by layer. */
export const layerTypes = z.array(string, 'a list of strings').max(1024, 'a list of at most 1024 strings');

const tokenId = z.int('a token id').min(0, 'a token id');
/** One number, a list, or none. */
const tokenIds = z
  .union([tokenId.transform((id) => [id]), z.array(tokenId).max(1000)], 'a token id or a list of them')
  .default([]);

/** Keys that all families have. */
export const commonKeys = {
  model_type: string,
  vocab_size: vocabulary,
  tie_word_embeddings: flag.default(true),
  bos_token_id: tokenIds,
  eos_token_id: tokenIds,
};

/** Hugging Face's names of activations. */
const activations = new Map<string, Activation>([
  ['gelu', 'gelu'],
  ['gelu_new', 'geluTanh'],
  ['gelu_fast', 'geluTanh'],
  ['gelu_pytorch_tanh', 'geluTanh'],
  ['silu', 'silu'],
  ['swish', 'silu'],
  ['relu', 'relu'],
]);

const activationNames = [...activations.keys()].join(', ');
/** A key that names an activation function. */
export const activation = z
  .string('a string')
  .refine((name) => activations.has(name), `an activation that is supported (${activationNames})`)
  .transform((name) => activations.get(name)!);
