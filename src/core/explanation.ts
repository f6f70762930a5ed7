/** @file The evidence beside a text: why it excites the unit. */

/** A token and a number that belongs to it: a logit change, or z with the token put in. */
export interface TokenValue {
  token: string;
  value: number;
}

/**
 * The evidence beside a candidate: what carries it, whom it beats, what the unit does with it. Arrays have one entry
 * a position, BOS first.
 */
export interface Explanation {
  unit: string;
  text: string;
  tokens: string[];
  token_ids: number[];
  /** ln p of each token given those before it, nats; null for BOS. */
  logprobs: (number | null)[];
  raw: number[];
  /** Sigmas; null at position 0, which never counts. */
  z: (number | null)[];
  peak: { position: number; raw: number; z: number };
  /** What the text counts for, sigmas: z at its peak, at its last position or on average, as the run says (`--at`). */
  score: number;
  /** Nats a token. */
  cross_entropy: number;
  margin: number | null;
  rank: number | null;
  /** The strongest of the reference class over the same text, sigmas, strongest first. */
  rivals: { unit: string; z: number }[];
  /** For a head, its pattern at the peak and the norm of what each source position brought; else null. */
  attention: { weight: number[]; contribution: number[] } | null;
  /** What the unit at its peak writes to the next token's logits, strongest first; null for units that write nothing. */
  logits: { top: TokenValue[]; bottom: TokenValue[] } | null;
  /** By position: the score with that token replaced by the prior's likeliest others; empty for BOS. */
  substitutions: TokenValue[][];
  /** KL at the output when the unit does what it does on average, nats; null where it was not computed. */
  ablation: number[] | null;
}
