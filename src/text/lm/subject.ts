/** @file A language model ready to compute with: made once, and handed on to all that reads, draws or scores text. */
import { UserError } from '../../core/errors.js';
import { field } from '../../core/field.js';
import type { Engine } from '../../engine/compile.js';
import type { TextModel, TextWeights } from './model.js';

/** Architecture and parameters, what computes them, and the tokens that a text begins with and never has. */
export interface Subject extends TextWeights {
  readonly engine: Engine;
  /** The token at position 0 of every sequence: BOS, what the model has in its place, or the last before the text. */
  readonly start: number;
  /** Tokens that are no part of any text (BOS, EOS, padding): never drawn. */
  readonly special: readonly number[];
  /** All that a search never puts into a text: `special`, and tokens that decoding and encoding would change. */
  excluded(): readonly number[];
}

/** A subject with its tokenizer and its name. */
export interface TextSubject extends Subject, TextModel {}

/**
 * A model ready to be probed; a subject of the same engine as it is.
 *
 * @throws UserError for a model without a token to start a text with
 */
export function openSubject(model: TextModel, engine: Engine): TextSubject {
  if (isSubject(model) && model.engine === engine) return model;
  const { tokenizer, name } = model;
  if (tokenizer.start === null)
    throw new UserError(
      `the model ${name} names neither a BOS nor an EOS token to start a text with: give a ${field('prefix')}`,
    );
  return {
    ...model,
    engine,
    start: tokenizer.start,
    special: tokenizer.specialTokens(),
    excluded: () => tokenizer.excludedTokens(),
  };
}

const isSubject = (model: TextModel): model is TextSubject => 'engine' in model;
