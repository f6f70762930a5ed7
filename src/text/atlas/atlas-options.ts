/** @file What is asked of an atlas. */
import type { Saving } from '../../runs/checkpoints.js';
import type { CorpusFile } from '../corpus/corpus-text.js';
import type { Session } from '../readouts/session.js';
import type { AtlasCheckpoint } from './checkpoint.js';

/** When an atlas ends: after a time, after so many sequences, or when frontiers hardly grow any more. */
export type AtlasBudget =
  | { readonly seconds: number }
  | { readonly evaluations: number }
  | { readonly growth: true };

/** What an earlier part of the same atlas left: its last checkpoint, if it wrote one, and where its clock stands. */
export interface EarlierAtlas {
  readonly checkpoint?: AtlasCheckpoint | undefined;
  readonly clock: number;
}

export interface AtlasOptions extends Session {
  /** Names of units, and patterns of names (`unit-pattern.ts`). */
  readonly units: readonly string[];
  /** Tokens after BOS. */
  readonly length: number;
  readonly budget: AtlasBudget;
  /** The user's own text, read beside samples of the model. */
  readonly naturalText?: readonly CorpusFile[];
  readonly earlier?: EarlierAtlas;
  /** Gets a checkpoint now and then, and when the search ends. */
  readonly saving?: Saving<AtlasCheckpoint>;
}
