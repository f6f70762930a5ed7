/** @file What an atlas knows of one unit, as files and pages have it. */
import type { Explanation } from '../../core/explanation.js';
import type { TextCluster } from '../readouts/clusters.js';
import type { HeadStatistics } from './head-statistics.js';

/** A text of a unit's frontier. */
export interface AtlasFound {
  text: string;
  /** As each token continues the text, BOS left out. */
  tokens: string[];
  /** Nats a token. */
  cross_entropy: number;
  z: number;
  margin: number | null;
  rank: number | null;
  /** What made it: `prior`, `corpus`, or an operator of breeding. */
  source: string;
}

/** A natural text, token by token. */
export interface AtlasExample extends AtlasFound {
  /** Sigmas a token. */
  z_by_token: number[];
}

export interface AtlasUnit {
  unit: string;
  /** Null for units of no layer. */
  layer: number | null;
  /** In its layer, or its dictionary. */
  index: number;
  hypervolume: number;
  /** Of the measure over calibration text. */
  mean: number;
  standard_deviation: number;
  /** By rising cross entropy. */
  frontier: AtlasFound[];
  /** Some of them, with their evidence. */
  explanations: Explanation[];
  clusters: TextCluster[];
  /** The strongest texts of the user's corpus. */
  examples: AtlasExample[];
  /** Of heads. */
  head: HeadStatistics | null;
}

/** A unit in the atlas's result and in its index. */
export interface AtlasSummary {
  unit: string;
  layer: number | null;
  index: number;
  hypervolume: number;
  /** Texts of the frontier. */
  texts: number;
  /** Of the strongest text below 6 nats a token, the margin of the most selective one; null where there is none. */
  z: number | null;
  margin: number | null;
  /** Mean entropy of the head's attention, nats; null for other units. */
  entropy: number | null;
  /** The strongest text below 6 nats a token. */
  text: string | null;
}
