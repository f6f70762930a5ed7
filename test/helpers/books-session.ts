/** @file What is asked of the embedded language model before any unit, as on the command line. */
import type { TextModel } from '../../src/text/lm/model.js';

/** @param model - books-lm, loaded */
export const booksSession = (model: TextModel) =>
  ({
    model,
    modelHash: 'books-lm',
    engine: 'onnx',
    measure: 'delta',
    at: 'max',
    reference: 'layer',
    seed: 1,
  }) as const;
