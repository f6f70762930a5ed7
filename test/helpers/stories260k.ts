/** @file What PyTorch says of some texts on stories260k. */
import { readFileSync } from 'node:fs';
import { shared } from './shared.js';

interface Case {
  text: string;
  input_ids: number[];
  token_logprobs: number[];
  /** [layer][head][position] */
  head_delta_norm: number[][][];
  /** [layer][neuron 0 or 10][position] */
  neurons_0_and_10: number[][][];
  last_logits_argmax: number;
}

export const stories = shared('models/stories260k');
export const reference = shared('fixtures/stories260k-expected.json');
export const missing = stories.missing || reference.missing;

/** None where they are missing. */
export const { cases } = missing
  ? { cases: [] }
  : (JSON.parse(readFileSync(reference.path, 'utf8')) as { cases: Case[] });
