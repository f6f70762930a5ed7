/** @file Names that a request for text is made of; light, for who only lists or checks them. */

/** How a search finds text; the first is the default. */
export const searchMethodNames = [
  'auto',
  'evolve',
  'sample',
  'epo',
  'gcg',
  'soft',
  'corpus',
  'prior',
] as const;
export type SearchMethodName = (typeof searchMethodNames)[number];

/** What of a head is measured; the first is the default. `logits:TOKEN` is one more, signed toward that token. */
export const headMeasures = ['delta', 'raw', 'attention', 'logits'] as const;
export type HeadMeasure = (typeof headMeasures)[number];

/** Which position speaks for a text; the first is the default. */
export const sequenceScores = ['max', 'last', 'mean'] as const;
export type SequenceScore = (typeof sequenceScores)[number];

/** Seconds of a search when no budget is given. */
export const DEFAULT_SECONDS = 20;

/** The embedded language model. */
export const DEFAULT_MODEL = 'books-lm';
