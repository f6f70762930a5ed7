/** @file The tokens of a text that a user gave. */
import { UsageError } from '../../core/errors.js';
import { field } from '../../core/field.js';
import { forLength } from './by-length.js';
import type { TextModel } from './model.js';
import { contextPhrase } from './spec.js';

/**
 * Token ids of a text, BOS in front.
 *
 * @throws UsageError for an empty text, or one longer than the context
 */
export function encodeText(
  { tokenizer, spec }: Pick<TextModel, 'tokenizer' | 'spec'>,
  text: string,
): Int32Array {
  if (text === '') throw new UsageError(`the text is empty: give at least one token with ${field('text')}`);
  const ids = tokenizer.encode(text);
  if (ids.length < 2)
    throw new UsageError(`the text has no token beside BOS: give at least one with ${field('text')}`);
  if (ids.length > spec.context) {
    throw new UsageError(
      `the text has ${ids.length - 1} tokens, too many for the model's ${contextPhrase(spec)}: give a shorter one`,
    );
  }
  return Int32Array.from(ids);
}

/** The model as it reads a text of that length (`forLength`). */
export const forText = (model: TextModel, text: string): TextModel => ({
  ...model,
  spec: forLength(model.spec, model.tokenizer.encode(text).length),
});
