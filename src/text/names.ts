/** @file What a request for text is made of: names, defaults, bounds. Imports little: for code that only lists or checks them. */

/** How a search finds text. */
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

/** Which position speaks for a text. */
export const sequenceScores = ['max', 'last', 'mean'] as const;
export type SequenceScore = (typeof sequenceScores)[number];

/** Whether BOS stands in front: as the model's texts begin (or its chat template says), always, or never. */
export const bosPolicies = ['auto', 'always', 'never'] as const;
export type BosPolicy = (typeof bosPolicies)[number];

/** Whose turn of a conversation a text is. */
export const chatRoles = ['user', 'assistant'] as const;
export type ChatRole = (typeof chatRoles)[number];

/** What a request is unless asked otherwise. */
export const textDefaults = {
  /** The embedded language model. */
  model: 'books-lm',
  measure: 'delta',
  at: 'max',
  prefix: '',
  suffix: '',
  bos: 'auto',
  reference: 'layer',
  method: 'auto',
  /** Seconds of a search. */
  seconds: 20,
  /** Tokens of a text that is searched, and of a window of a corpus. */
  length: 12,
  /** Tokens of the longest sentence of a corpus. */
  sentence: 40,
  /** Texts of a corpus that are listed. */
  top: 10,
  /** Texts of a frontier that are explained. */
  finalists: 8,
  /** Replacements tried a position, in an explanation. */
  replacements: 4,
} as const;

export const textBounds = {
  length: { min: 1, max: 100_000 },
  evaluations: { min: 1, max: 1e9 },
  top: { min: 1, max: 10_000 },
  finalists: { min: 0, max: 1000 },
  calibrationTokens: { min: 512, max: 1e8 },
  replacements: { min: 0, max: 8 },
} as const;
