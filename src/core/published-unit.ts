/** @file What is published of a unit beside what this model says of the same texts. */

/** A text that excites a unit most in the corpus of others. */
export interface ScoredExemplar {
  text: string;
  /** Its largest activation as published. */
  published: number;
  /** The same by this model. */
  raw: number;
}

export interface PublishedUnit {
  /** `gemma-2-2b/20-gemmascope-res-16k/1234` */
  name: string;
  /** The largest activation in the corpus; null where it is not published. */
  maximum: number | null;
  exemplars: ScoredExemplar[];
}

/**
 * How far texts of ours reach beside it.
 *
 * @param raw - their largest activation; null where there is none
 */
export function formatMaximum({ name, maximum }: PublishedUnit, raw: number | null): string {
  const share = maximum && raw !== null ? `: ${(raw / maximum).toFixed(2)} of it here` : '';
  return `${name} on Neuronpedia, maximum ${maximum?.toPrecision(4) ?? 'not known'}${share}`;
}
