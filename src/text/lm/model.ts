/** @file A model folder in Hugging Face's layout, ready to use. */
import { existsSync } from 'node:fs';
import { basename, resolve } from 'node:path';
import { UserError } from '../../core/errors.js';
import type { FrameReport } from '../../core/frame-report.js';
import { warmUp } from '../../engine/backends/worker-client.js';
import { openSafetensorsFolder } from '../../engine/weights/safetensors.js';
import { readConfig } from './config.js';
import { type MatchedWeights, matchWeights } from './match-weights.js';
import type { TransformerSpec } from './spec.js';
import { loadTokenizer, type Tokenizer } from './tokenizer.js';

/** A transformer's architecture and parameters. */
export type TextWeights = Pick<MatchedWeights, 'spec' | 'weights'>;

export interface TextModel extends TextWeights {
  /** The folder's own name. */
  readonly name: string;
  readonly folder: string;
  readonly tokenizer: Tokenizer;
  /** What its texts stand in, where that was chosen (`inFrame`). */
  readonly frame?: FrameReport;
  /** What was unusual when it was opened, one sentence each. */
  readonly notes?: readonly string[];
}

/**
 * Opens a model folder without its tokenizer: reads config.json and the headers of the weights.
 *
 * @param as - the family that it is read as, whatever it calls itself
 * @throws UserError when something is missing, damaged or unknown, or config and weights disagree
 */
export function openTextWeights(folder: string, as?: string): MatchedWeights {
  if (!existsSync(folder)) throw new UserError(`there is no model folder ${folder}`);
  const matched = matchWeights(readConfig(folder, as), openSafetensorsFolder(folder), folder);
  if (as === undefined) return matched;
  return {
    ...matched,
    notes: [`${folder} is read as a model of the family ${as}, as asked`, ...matched.notes],
  };
}

/**
 * Opens a model folder: config.json, model.safetensors (or its shards), tokenizer.json.
 *
 * @throws UserError as `openTextWeights`, and when the tokenizer is missing
 */
export async function loadTextModel(folder: string, as?: string): Promise<TextModel> {
  const { spec, weights, notes } = openTextWeights(folder, as);
  // The engine's thread starts while the tokenizer is loaded.
  warmUp();
  const tokenizer = await tokenizerOf(folder, spec);
  const own = bosNote(spec, tokenizer);
  return {
    name: basename(resolve(folder)),
    folder,
    spec,
    weights,
    tokenizer,
    notes: own ? [...notes, own] : notes,
  };
}

/**
 * The tokenizer of a model. As in Python: its own BOS is what stands before a text, the config's what generation starts
 * from. Models without either start with their end-of-text token, as GPT-2 was trained.
 *
 * @throws UserError when it is missing or cannot be used
 */
export const tokenizerOf = (folder: string, spec: TransformerSpec): Promise<Tokenizer> =>
  loadTokenizer(folder, { vocab: spec.vocab, bos: spec.bos ?? spec.eos[0] ?? null });

/** GPT-2's defaults stay in config.json of models with another vocabulary. */
function bosNote({ bos, vocab }: TransformerSpec, tokenizer: Tokenizer): string | null {
  if (bos === null || bos < vocab || tokenizer.bos === null) return null;
  const name = JSON.stringify(tokenizer.tokenString(tokenizer.bos));
  return `config.json names the BOS token ${bos}, but the vocabulary has ${vocab}: the tokenizer's, ${tokenizer.bos} (${name}), is used`;
}
